"""The front door: commands (each one library call), settings composed, output and report; it knows every room."""

from __future__ import annotations

__version__ = "0.1.0"
