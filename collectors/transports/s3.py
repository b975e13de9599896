"""Data by way of S3: the host puts its files to an address that was signed here, so it needs no credentials of its own.

Commands go through Systems Manager where the host is an instance id, else over ssh. The object is deleted once it is here.
"""

from __future__ import annotations

import secrets
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING

from collectors.transport import SCRIPT_S, Place, Remote, Transport
from collectors.transports import ssh, ssm
from evidence import SizeupError

if TYPE_CHECKING:
    from collectors.aws import AwsSession

SIGNED_FOR_S = 900
# http.client by hand rather than curl: a host has Python, as the agent needs it. The address is a secret, so it comes in a
# here-document, never as an argument that others could see.
PUT = """
put=$(mktemp); trap 'rm -f "$put"' EXIT
{ %s
} > "$put" || exit 1
"${py:-python3}" - "$put" <<'SIZEUP_PUT'
import sys, urllib.request
with open(sys.argv[1], "rb") as file:
    request = urllib.request.Request(%r, data=file.read(), method="PUT", headers={"Content-Type": "application/x-tar"})
urllib.request.urlopen(request, timeout=120).close()
SIZEUP_PUT
"""


class S3Remote:
    """A host that commands reach by another way, and whose data comes by a bucket."""

    def __init__(self, carrier: Remote, aws: AwsSession, bucket: str) -> None:
        self._carrier, self._aws, self._bucket = carrier, aws, bucket

    def run(self, script: str, timeout_s: float = SCRIPT_S) -> bytes:
        return self._carrier.run(script, timeout_s)

    def fetch(self, script: str, timeout_s: float = SCRIPT_S) -> bytes:
        key = f"sizeup/{secrets.token_hex(16)}.tar"
        params = {"Bucket": self._bucket, "Key": key, "ContentType": "application/x-tar"}
        signed = self._aws.client("s3").generate_presigned_url("put_object", Params=params, ExpiresIn=SIGNED_FOR_S)
        self._carrier.run(PUT % (f"sh -c {shlex.quote(script)}", signed), timeout_s)
        try:
            body: bytes = self._aws.call("s3", "get_object", Bucket=self._bucket, Key=key)["Body"].read()
        finally:
            with suppress(SizeupError):
                self._aws.call("s3", "delete_object", Bucket=self._bucket, Key=key)
        return body

    def close(self) -> None:
        self._carrier.close()


def connect(place: Place) -> Remote:
    if place.bucket is None or place.aws is None:
        raise SizeupError(f"host {place.host}: S3 needs a bucket that you may write to; name it with --bucket.")
    way = ssm if ssm.is_instance(place.host) else ssh
    return S3Remote(way.connect(place), place.aws, place.bucket)


CALLS = ("s3:PutObject", "s3:GetObject", "s3:DeleteObject")
TRANSPORT = Transport(says="by way of S3, as files that the host puts to a signed address", calls=CALLS, connect=connect)
