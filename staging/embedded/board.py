"""The service's data: boards, comments, likes, people and tokens in one SQLite file that both colours of the API share."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from staging.sample import sample_data

PAGE_ROWS = 20
REFRESH_LIFE_S = 14 * 24 * 3600
_SCHEMA = """
CREATE TABLE person (id INTEGER PRIMARY KEY, email TEXT UNIQUE, salt BLOB, hash BLOB);
CREATE TABLE board (id INTEGER PRIMARY KEY, author INTEGER, title TEXT, content TEXT, likes INTEGER DEFAULT 0);
CREATE TABLE comment (id INTEGER PRIMARY KEY, board INTEGER, author INTEGER, content TEXT);
CREATE INDEX comment_board ON comment (board);
CREATE TABLE image (id TEXT PRIMARY KEY, bytes INTEGER);
CREATE TABLE refresh (digest TEXT PRIMARY KEY, person INTEGER, ends_at REAL);
"""


def create(path: Path, seed: int, email: str, password: str) -> None:
    """Write a new database with the demo's account and boards, the same ones for the same seed."""
    for old in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        old.unlink(missing_ok=True)
    sample, salt = sample_data(seed), hashlib.sha256(str(seed).encode()).digest()[:16]
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode=WAL")
    db.executescript(_SCHEMA)
    db.execute("INSERT INTO person VALUES (1, ?, ?, ?)", (email, salt, _digest(password, salt)))
    db.executemany("INSERT INTO board (author, title, content) VALUES (1, ?, ?)", sample.boards)
    db.executemany("INSERT INTO comment (board, author, content) VALUES (?, 1, ?)", sample.comments)
    db.commit()
    db.close()


class Boards:
    """Queries over the file; one connection a thread, each call its own transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mine = threading.local()

    def login(self, email: str, password: str) -> int | None:
        """Return the person's id, None where email and password don't belong together."""
        row = self._one("SELECT id, salt, hash FROM person WHERE email = ?", email)
        return row["id"] if row and _digest(password, row["salt"]) == row["hash"] else None

    def new_refresh(self, person: int) -> str:
        """Keep a new refresh token for a person, as Redis does for the real service, and return it."""
        token = os.urandom(24).hex()
        self._write("INSERT INTO refresh VALUES (?, ?, ?)", _token_digest(token), person, time.time() + REFRESH_LIFE_S)
        return token

    def refresh_owner(self, token: str) -> int | None:
        """Return whose refresh token that is, None where it isn't known or has ended."""
        row = self._one("SELECT person FROM refresh WHERE digest = ? AND ends_at > ?", _token_digest(token), time.time())
        return row["person"] if row else None

    def page(self, number: int) -> Mapping[str, Any]:
        """Return page `number` (from 1) of the boards, newest first."""
        rows = self._all("SELECT id, title, likes FROM board ORDER BY id DESC LIMIT ? OFFSET ?", PAGE_ROWS, (number - 1) * PAGE_ROWS)
        count = self._one("SELECT count(*) AS n FROM board")
        return {"content": rows, "page": number, "totalPages": -(-count["n"] // PAGE_ROWS) if count else 0}

    def search(self, words: str) -> Mapping[str, Any]:
        """Return the newest boards whose title holds `words`."""
        rows = self._all("SELECT id, title, likes FROM board WHERE instr(title, ?) ORDER BY id DESC LIMIT ?", words, PAGE_ROWS)
        return {"content": rows, "page": 1, "totalPages": 1}

    def board(self, board: int) -> Mapping[str, Any] | None:
        return self._one("SELECT id, title, content, likes FROM board WHERE id = ?", board)

    def comments(self, board: int) -> Mapping[str, Any]:
        """Return a board's newest comments."""
        rows = self._all("SELECT id, content FROM comment WHERE board = ? ORDER BY id DESC LIMIT ?", board, PAGE_ROWS)
        return {"content": rows}

    def add_board(self, person: int, title: str, content: str) -> int:
        return self._write("INSERT INTO board (author, title, content) VALUES (?, ?, ?)", person, title, content)[0]

    def change_board(self, board: int, title: str, content: str) -> bool:
        return self._write("UPDATE board SET title = ?, content = ? WHERE id = ?", title, content, board)[1] > 0

    def delete_board(self, board: int) -> bool:
        return self._write("DELETE FROM board WHERE id = ?", board)[1] > 0

    def add_comment(self, person: int, board: int, content: str) -> int:
        return self._write("INSERT INTO comment (board, author, content) VALUES (?, ?, ?)", board, person, content)[0]

    def like(self, board: int) -> bool:
        return self._write("UPDATE board SET likes = likes + 1 WHERE id = ?", board)[1] > 0

    def add_image(self, data: bytes) -> str:
        """Note an image's digest and size (its bytes would go to S3) and return its id."""
        image = hashlib.sha256(data).hexdigest()[:32]
        self._write("INSERT OR IGNORE INTO image VALUES (?, ?)", image, len(data))
        return image

    def _one(self, sql: str, *values: Any) -> dict[str, Any] | None:
        row = self._db().execute(sql, values).fetchone()
        return dict(row) if row else None

    def _all(self, sql: str, *values: Any) -> Sequence[dict[str, Any]]:
        return [dict(row) for row in self._db().execute(sql, values)]

    def _write(self, sql: str, *values: Any) -> tuple[int, int]:
        """Run one change; return the new row's id and how many rows it touched."""
        done = self._db().execute(sql, values)
        return done.lastrowid or 0, done.rowcount

    def _db(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._mine, "db", None)
        if db is None:
            db = self._mine.db = sqlite3.connect(self._path, timeout=10, isolation_level=None)
            db.row_factory = sqlite3.Row
            # A lost write at a power cut is no loss here, and an fsync a request would measure the disk.
            db.execute("PRAGMA synchronous=OFF")
        return db


def _digest(password: str, salt: bytes) -> bytes:
    # Few rounds: the demo's password is public, and `api_cpu_s` is what a request shall cost.
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 200)


def _token_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
