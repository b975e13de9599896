"""The agent reached by Systems Manager (a stand-in that runs the scripts), and its data by S3 (moto's server, a real HTTP put)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors import (
    AwsSession,
    Place,
    Wanted,
    all_transports,
    ask_agent,
    fetch_spool,
    install_agent,
    plan_install,
    read_spool,
    remove_agent,
)
from collectors.agent import Spool, spool_head
from collectors.install import check_python, unpack
from collectors.transports.s3 import S3Remote
from collectors.transports.ssm import SsmRemote, is_instance
from evidence import SizeupError
from staging.aws import AwsStandIn, AwsWorld, start_aws

INSTANCE, BUCKET = "i-0123456789abcdef0", "sizeup-test"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of whoever runs scripts on the instance."""
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def ssm(home: Path) -> Iterator[AwsStandIn]:
    with start_aws(AwsWorld(hosts={INSTANCE: {"PATH": os.environ["PATH"], "HOME": str(home)}})) as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def s3() -> Iterator[AwsSession]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    aws = AwsSession("ap-northeast-2", f"http://{host}:{port}")
    aws.call("s3", "create_bucket", Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    yield aws
    server.stop()


def test_systems_manager_installs_asks_and_removes(ssm):
    """Start and stop without ssh."""
    remote = all_transports()["ssm"].connect(Place(INSTANCE, AwsSession("ap-northeast-2", ssm.url)))
    wanted = Wanted(beat="0.2s", root=False)

    before = ask_agent(remote, root=False)
    steps = plan_install(INSTANCE, before, wanted)
    install_agent(remote, before, wanted)
    running = ask_agent(remote, root=False)
    remove_agent(remote, root=False)
    after = ask_agent(remote, root=False)

    assert steps
    assert (before.running, running.running, after.running) == (False, True, False)
    assert plan_install(INSTANCE, running, wanted) == []
    assert (running.mark, after.mark) == (wanted.mark, "")


def test_no_data_comes_by_systems_manager(ssm):
    """GetCommandInvocation: output is cut at 24,000 characters."""
    remote = SsmRemote(INSTANCE, AwsSession("ap-northeast-2", ssm.url))

    with pytest.raises(SizeupError, match="fetch with --via s3"):
        remote.fetch("true")
    with pytest.raises(SizeupError, match="cut the answer at 24,000 characters"):
        remote.run("head -c 30000 /dev/zero | tr '\\0' x")


def test_a_script_that_fails_there_is_one_sentence(ssm):
    remote = SsmRemote(INSTANCE, AwsSession("ap-northeast-2", ssm.url))

    with pytest.raises(SizeupError, match="disk is on fire; nothing more was done"):
        remote.run("echo 'disk is on fire' >&2; exit 3")


def test_a_spool_comes_by_a_signed_address(ssm, home, s3, tmp_path):
    """The host puts it with Python's urllib and no credentials; nothing stays in the bucket."""
    spool = Spool(str(home / ".sizeup-agent/spool"), spool_head("api", 1.0), 10**9)
    for n in range(5):
        spool.write(n * 1_000_000, [1_000_000, 2, *[0] * 23], {}, [])
    remote = S3Remote(SsmRemote(INSTANCE, AwsSession("ap-northeast-2", ssm.url)), s3, BUCKET)

    files = fetch_spool(remote, tmp_path / "here", root=False)

    assert files == 1
    assert read_spool(tmp_path / "here").hosts.height == 5
    assert s3.call("s3", "list_objects_v2", Bucket=BUCKET)["KeyCount"] == 0


def test_a_host_without_an_agent_has_nothing_to_fetch(ssm, s3, tmp_path):
    remote = S3Remote(SsmRemote(INSTANCE, AwsSession("ap-northeast-2", ssm.url)), s3, BUCKET)

    with pytest.raises(SizeupError, match="no agent is installed there; run sizeup agent install"):
        fetch_spool(remote, tmp_path / "here", root=False)


@pytest.mark.parametrize(("way", "host", "sentence"), [("ssm", "web-1", "knows instances by id"), ("s3", "web-1", "name it with --bucket")])
def test_a_way_that_a_host_has_not_is_a_sentence(way, host, sentence):
    with pytest.raises(SizeupError, match=sentence):
        all_transports()[way].connect(Place(host, AwsSession("ap-northeast-2", "http://127.0.0.1:9")))


@pytest.mark.parametrize(("host", "is_one"), [(INSTANCE, True), ("mi-0123456789abcdef0", True), ("i-am@host", False), ("10.0.1.5", False)])
def test_an_instance_is_told_by_its_id(host, is_one):
    assert is_instance(host) is is_one


@pytest.mark.parametrize(("version", "fits"), [("3.7.16", True), ("3.13.0", True), ("3.6.15", False), ("2.7.18", False), ("", False)])
def test_a_host_needs_python_3_7(version, fits):
    if fits:
        check_python("web-1", version)
        return

    with pytest.raises(SizeupError, match=r"the agent needs 3\.7 or newer"):
        check_python("web-1", version)


def test_what_a_host_sends_is_never_written_beside_its_folder(tmp_path):
    """Names in a tar come from outside."""
    import io
    import tarfile

    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name in ("../../0000000001.seg", "lock", "evil.sh", "/0000000002.seg"):
            member = tarfile.TarInfo(name)
            archive.addfile(member, io.BytesIO(b""))

    assert unpack(data.getvalue(), tmp_path) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0000000001.seg", "0000000002.seg"]
    with pytest.raises(SizeupError, match="is no tar"):
        unpack(b"Welcome to web-1!\n" * 100, tmp_path)
