"""The friends' stack for real: a Spring Boot API in two colours behind nginx, a Next.js frontend, PostgreSQL and Redis."""

from __future__ import annotations

__all__: list[str] = []
