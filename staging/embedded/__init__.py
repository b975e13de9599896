"""The embedded stack's processes: a load balancer, a frontend, an API and the account, each of them a module with a main."""

from __future__ import annotations

__all__: list[str] = []
