"""A request's body: JSON, a form, raw bytes, or files as multipart/form-data (RFC 7578)."""

from __future__ import annotations

import hashlib
import json as jsonlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

File = tuple[str, bytes, str]
"""A file to send: its name, content and media type."""


def encode_body(
    json: Any = None, data: bytes | str | Mapping[str, str] | None = None, files: Mapping[str, File] | None = None
) -> tuple[bytes, str | None]:
    """Return the body's bytes and its Content-Type (None where there is nothing to say)."""
    if files:
        return _multipart(files, data if isinstance(data, Mapping) else {})
    if json is not None:
        return jsonlib.dumps(json, separators=(",", ":")).encode(), "application/json"
    if isinstance(data, Mapping):
        return urlencode(data).encode(), "application/x-www-form-urlencoded"
    if isinstance(data, str):
        return data.encode(), "text/plain; charset=utf-8"
    return data or b"", "application/octet-stream" if data else None


def _multipart(files: Mapping[str, File], fields: Mapping[str, str]) -> tuple[bytes, str]:
    # The boundary follows from the content, so equal requests are equal bytes and it can't stand inside them by chance.
    boundary = hashlib.sha256(b"".join(content for _, content, _ in files.values())).hexdigest()[:32]
    parts = [_part(boundary, f'name="{name}"', None, value.encode()) for name, value in fields.items()]
    parts += [_part(boundary, f'name="{name}"; filename="{file}"', media, content) for name, (file, content, media) in files.items()]
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _part(boundary: str, disposition: str, media: str | None, content: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n"
    head += f"Content-Type: {media}\r\n" if media else ""
    return f"{head}\r\n".encode() + content + b"\r\n"
