"""What a failed request is called: docs/reference/run-folder.md's words, each met on a real socket."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """All cases, met once by one process."""
    folder = tmp_path_factory.mktemp("wire")
    certificate, key = write_certificate(folder)
    targets = [start_target(folder / "plain.log"), start_target(folder / "tls.log", TLS=f"{certificate},{key}")]
    try:
        urls = [f"{scheme}://127.0.0.1:{port}" for scheme, (_, port) in zip(("http", "https"), targets, strict=True)]
        env = {**os.environ, "SSL_CERT_FILE": str(certificate)}
        done = subprocess.run(
            [sys.executable, str(HERE / "wire_cases.py"), *urls], env=env, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        yield json.loads(done.stdout) | {"log": (folder / "tls.log").read_text()}
    finally:
        for process, _ in targets:
            process.kill()
            process.communicate()


@pytest.mark.parametrize(("kind", "error", "status", "body"), [
    ("silent", "timeout_read", 0, ""),
    ("slow-body", "timeout_total", 200, ""),
    ("garbage", "protocol", 0, ""),
    ("cut", "reset", 200, ""),
    ("to-eof", None, 200, "all of it"),
    ("chunked", None, 200, "all"),
    ("204", None, 204, ""),
    ("302", None, 302, ""),
    ("404", "http", 404, ""),
    ("500", "http", 500, ""),
])  # fmt: skip
def test_an_odd_answer_has_its_word(report: dict[str, Any], kind: str, error: str | None, status: int, body: str):
    """A redirect is an answer of its own: followed, one row would stand for two requests."""
    assert report["odd"][kind] == [error, status, body]


@pytest.mark.parametrize(("case", "error"), [("refused", "connect"), ("no-name", "dns"), ("full", "timeout_connect")])
def test_a_target_that_cannot_be_reached_has_its_word(report: dict[str, Any], case: str, error: str):
    """Status 0 = none."""
    assert report["none"][case] == [error, 0, ""]


def test_a_certificate_for_another_name_is_tls(report: dict[str, Any]):
    """It must be that of the Host header, whatever address the connection goes to."""
    assert report["wrong_name"] == ["tls", 0, ""]


def test_a_request_cut_off_by_our_own_stop_is_aborted(report: dict[str, Any]):
    """It is no failure of the target."""
    assert report["aborted"] == ["aborted", 0]


def test_an_answer_is_judged_by_its_status_then_its_body(report: dict[str, Any]):
    """http: not the status expected; check: a body that isn't as asked; protocol: a body that can't be unpacked."""
    assert report["judged"] == {
        "nothing": None, "status": "http", "has": None, "has not": "check", "json": None, "no json": "check", "stumbles": "check",
        "gzip": "protocol",
    }  # fmt: skip


@pytest.mark.parametrize("which", ["warmed", "warmed_tls"])
def test_connections_opened_before_the_first_arrival_are_used_by_it(report: dict[str, Any], which: str):
    """docs/reference/python.md, connections; under TLS 1.3 the server's session tickets must not make them look dead."""
    assert report[which]["failed"] is None
    for one in report[which]["seen"]:
        assert (one["error"], one["status"]) == (None, 200)
        assert one["started"] <= one["sent"] <= one["first_byte"] <= one["ended"]
        assert one["response_bytes"] > one["body"] > 0


def test_no_further_connection_was_needed_under_tls(report: dict[str, Any]):
    """Six were opened and six requests sent at once (the failed handshakes never reach the server's handler)."""
    assert report["log"].count('"connection"') == 6


def start_target(log: Path, **settings: str) -> tuple[subprocess.Popen[str], int]:
    command = [sys.executable, str(HERE / "target.py")]
    process = subprocess.Popen(
        command, env={**os.environ, "LOG": str(log), **settings}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for example.run that signs itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example.run")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("example.run")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return certificate, secret
