"""`python -m sizeup`, the same as `sizeup`."""

from __future__ import annotations

from sizeup.main import main

if __name__ == "__main__":
    main()
