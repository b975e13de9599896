"""What a request is called, the same for the generator and for a log line: the route, without its values."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_ID = re.compile(r"^(\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16,})$", re.IGNORECASE)


def route_name(method: str, url: str) -> str:
    """Name a request by method and path, ids as [id], no query: `GET /boards/[id]/comments`."""
    path = urlsplit(url).path or "/"
    parts = ["[id]" if _ID.match(part) else part for part in path.split("/")]
    return f"{method.upper()} {'/'.join(parts)}"
