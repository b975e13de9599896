"""Where evidence comes from besides the hosts: one file a source, each ending in COLLECTOR."""

from __future__ import annotations
