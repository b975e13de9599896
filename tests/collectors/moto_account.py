"""boto3's clients for an account of moto's, and what several tests build in it."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

REGION = "ap-northeast-2"


def client(endpoint_url: str, service: str) -> Any:
    return boto3.client(
        service, region_name=REGION, endpoint_url=endpoint_url, aws_access_key_id="x", aws_secret_access_key="x", config=Config(proxies={}),
    )  # fmt: skip
