"""The running stack as its users meet it: two hosts behind one address, their API, their account, their log."""

from __future__ import annotations

import json
import os
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from stack_client import ROOT, Answer, Front, until

from evidence import is_alive, make_trace, parse_trace
from evidence.alb_log import parse_line
from staging import Stack, read_stack
from staging.embedded.account import Clients

API, WEB = "api.example.run", "example.run"
LOGIN = {"email": "demo@example.run", "password": "demo-password"}


@pytest.fixture(scope="module")
def bearer(front: Front) -> dict[str, str]:
    return {"Authorization": f"Bearer {front.ask('POST', '/auth/login', API, LOGIN).json()['accessToken']}"}


@pytest.fixture(scope="module")
def account(stack: Stack) -> Clients:
    return Clients(stack.info.aws_endpoint_url, stack.info.region)


def test_the_host_header_says_which_service_answers(front: Front):
    api, web, other = (front.ask("GET", "/boards", host) for host in (API, WEB, "nobody.example"))

    assert api.headers["content-type"] == "application/json"
    assert web.headers["content-type"].startswith("text/html")
    assert other.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/", "/boards", "/boards/7", "/about", "/assets/app.css", "/assets/app.js", "/assets/logo.svg"])
def test_the_frontend_serves_its_pages_and_assets(front: Front, path: str):
    answer = front.ask("GET", path, WEB)

    assert answer.status == 200
    assert answer.body


def test_a_page_shows_what_the_api_says(front: Front):
    board = front.ask("GET", "/boards/7", API).json()

    page = front.ask("GET", "/boards/7", WEB).body.decode()

    assert board["title"] in page
    assert board["content"] in page


def test_a_page_of_a_board_that_is_not_there_is_404(front: Front):
    assert front.ask("GET", "/boards/999999", WEB).status == 404


def test_the_frontends_own_calls_carry_roots_of_the_load_balancers_making(front: Front):
    """docs/reference/definitions.md, Trace: the frontend forwards none, so its calls are told apart by their Root."""
    sent = make_trace("abcdefabcdef", 1, 5, 1_700_000_000)

    answer = front.ask("GET", "/boards/33", WEB, headers={"X-Amzn-Trace-Id": sent})

    page = front.line_of(answer.client_port)
    calls = [line for line in front.lines() if line.user_agent == "moco-frontend/1.0" and "/boards/33" in line.url]
    assert [line.url.partition("/boards/33")[2] for line in calls] == ["", "/comments"]
    assert all(ROOT.fullmatch(line.trace_id) for line in calls)
    assert [line for line in front.lines() if parse_trace(line.trace_id) == parse_trace(sent)] == [parse_line(page)]


def test_the_whole_api_answers_as_the_scenarios_expect(front: Front, bearer: dict[str, str]):
    made = front.ask("POST", "/boards", API, {"title": "first light", "content": "…"}, bearer)
    board = f"/boards/{made.json()['id']}"

    answers = {
        "list": front.ask("GET", "/boards?page=2", API),
        "search": front.ask("GET", "/boards/search?q=light", API),
        "read": front.ask("GET", board, API),
        "change": front.ask("PUT", board, API, {"title": "second", "content": "x"}, bearer),
        "comment": front.ask("POST", f"{board}/comments", API, {"content": "well said"}, bearer),
        "comments": front.ask("GET", f"{board}/comments", API),
        "like": front.ask("POST", f"{board}/likes", API, None, bearer),
        "delete": front.ask("DELETE", board, API, None, bearer),
        "gone": front.ask("GET", board, API),
    }

    assert made.status == 201
    assert {name: answer.status for name, answer in answers.items()} == {
        "list": 200, "search": 200, "read": 200, "change": 200, "comment": 201, "comments": 200, "like": 201, "delete": 204, "gone": 404,
    }  # fmt: skip
    assert len(answers["list"].json()["content"]) == 20
    assert answers["list"].json().keys() == {"content", "page", "totalPages"}
    assert [row["title"] for row in answers["search"].json()["content"]] == ["first light"]
    assert answers["comments"].json()["content"][0]["content"] == "well said"


def test_an_upload_answers_where_the_image_is(front: Front, bearer: dict[str, str]):
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n--x--\r\n'

    answer = front.ask("POST", "/images", API, form, {**bearer, "Content-Type": "multipart/form-data; boundary=x"})

    assert answer.status == 201
    assert answer.json()["url"].startswith("/images/")


def test_a_refresh_token_gives_a_new_access_token(front: Front):
    tokens = front.ask("POST", "/auth/login", API, LOGIN).json()

    again = front.ask("POST", "/auth/refresh", API, {"refreshToken": tokens["refreshToken"]})

    assert again.status == 200
    assert again.json().keys() == {"accessToken", "refreshToken"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/auth/login", {"email": "demo@example.run", "password": "no"}, 401),
        ("POST", "/auth/login", b"{", 400),
        ("POST", "/auth/refresh", {"refreshToken": "0" * 48}, 401),
        ("POST", "/boards", {"title": "a", "content": "b"}, 401),
        ("DELETE", "/boards/1", None, 401),
        ("GET", "/nowhere", None, 404),
    ],
)
def test_what_is_not_allowed_or_not_there_is_refused(front: Front, method: str, path: str, body: Any, status: int):
    assert front.ask(method, path, API, body).status == status


def test_each_request_costs_the_cpu_time_that_was_asked_for(stack: Stack, front: Front):
    """StackOptions.api_cpu_s: 1 ms here; the process takes at least that a request, and its own work on top."""
    api = stack.info.pids["api"][0]
    before = _cpu_s(api)

    for _ in range(100):
        front.ask("GET", "/boards/3", API)

    assert 0.1 <= _cpu_s(api) - before < 0.6


def test_the_memory_asked_for_is_resident(stack: Stack):
    """StackOptions.api_memory_bytes: 16 MiB here, private and touched, so the process holds more than that."""
    fields = dict(line.split(":") for line in Path(f"/proc/{stack.info.pids['api'][0]}/smaps_rollup").read_text().splitlines()[1:])

    assert int(fields["Private_Dirty"].split()[0]) * 1024 > stack.options.api_memory_bytes


def test_read_stack_says_what_the_running_stack_says(stack: Stack):
    assert read_stack(stack.home) == stack.info


def test_the_trees_name_each_host_by_a_living_process(stack: Stack):
    hosts = {host["host"]: host for host in json.loads(stack.info.trees.read_bytes())["hosts"]}

    assert hosts.keys() == {"frontend", "api"}
    assert hosts["api"]["roots"][0]["color"] in ("blue", "green")
    assert hosts["frontend"]["roots"][0]["color"] is None
    assert all(is_alive(root) for host in hosts.values() for root in host["roots"])


def test_the_settings_written_name_the_stack(stack: Stack):
    """docs/reference/settings.md."""
    settings = tomllib.loads((stack.home / "sizeup.toml").read_text())

    assert settings["target"]["staging"]["url"] == stack.info.alb_url
    assert settings["target"]["staging"]["hosts"] == {"frontend": WEB, "api": API}
    assert {name: table["target_group"] for name, table in settings["class"].items()} == {"api": "moco-api", "frontend": "moco-frontend"}


def test_the_token_secret_is_in_no_file_and_no_command_line(stack: Stack):
    secret = stack._service._secret.encode()
    files = [path for path in stack.home.rglob("*") if path.is_file()]
    seen = [Path(f"/proc/{child.pid}/{what}").read_bytes() for child in stack._ground.children for what in ("cmdline", "environ")]

    assert not any(secret in path.read_bytes() for path in files)
    assert not any(secret in text for text in seen)


def test_the_key_to_the_stack_can_be_read_by_its_owner_alone(stack: Stack):
    assert os.stat(stack.home / ".key").st_mode & 0o077 == 0


def test_the_account_holds_the_load_balancer_as_the_stand_in_serves_it(stack: Stack, account: Clients):
    balancer = account.elbv2.describe_load_balancers(Names=["moco-staging"])["LoadBalancers"][0]
    listener = account.elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"][0]
    rules = account.elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]

    assert balancer["LoadBalancerArn"].endswith(stack.info.load_balancer)
    assert len(balancer["AvailabilityZones"]) == 2
    assert listener["Port"] == 80
    assert {rule["Priority"]: _hosts(rule) for rule in rules} == {"10": [API], "default": []}


def test_the_account_holds_five_public_addresses(stack: Stack, account: Clients):
    """docs/design.md: two of the load balancer, two of the hosts, one of the database."""
    interfaces = account.ec2.describe_network_interfaces()["NetworkInterfaces"]

    owners = sorted(each["Description"] for each in interfaces if "PublicIp" in each.get("Association", {}))

    alb = f"ELB {stack.info.load_balancer}"
    assert owners == [alb, alb, "Primary network interface", "Primary network interface", "RDSNetworkInterface"]
    assert len(account.ec2.describe_addresses()["Addresses"]) == 5


def test_the_account_holds_the_hosts_with_their_types_and_credit_modes(account: Clients):
    """EC2 User Guide: T2 launches as standard, T3 as unlimited, where nothing else is said."""
    hosts = [each for group in account.ec2.describe_instances()["Reservations"] for each in group["Instances"]]
    ids = [host["InstanceId"] for host in hosts]
    modes = account.ec2.describe_instance_credit_specifications(InstanceIds=ids)["InstanceCreditSpecifications"]

    kinds = {next(tag["Value"] for tag in host["Tags"] if tag["Key"] == "class"): host for host in hosts}
    by_id = {mode["InstanceId"]: mode["CpuCredits"] for mode in modes}
    assert {name: host["InstanceType"] for name, host in kinds.items()} == {"frontend": "t2.micro", "api": "t3.small"}
    assert {name: by_id[host["InstanceId"]] for name, host in kinds.items()} == {"frontend": "standard", "api": "unlimited"}


def test_the_account_holds_a_public_database_and_a_cache(account: Clients):
    database = account.other("rds").describe_db_instances()["DBInstances"][0]
    cache = account.other("elasticache").describe_cache_clusters()["CacheClusters"][0]

    assert (database["Engine"], database["PubliclyAccessible"], database["MultiAZ"]) == ("postgres", True, False)
    assert (cache["Engine"], cache["CacheNodeType"]) == ("redis", "cache.t3.micro")


def test_cloudwatch_counts_what_the_log_counts(stack: Stack, front: Front, account: Clients):
    """ELB user guide, CloudWatch metrics: RequestCount, TargetResponseTime and HTTPCode_* by target group and load balancer."""
    for _ in range(5):
        front.ask("GET", "/boards/5", API)
    front.ask("GET", "/boards/999999", API)

    until(lambda: front.lines()[-1].status == 404)
    stack.publish_metrics()

    lines = [line for line in front.lines() if "/moco-api/" in (line.target_group_arn or "")]
    group = (lines[0].target_group_arn or "").rpartition(":")[2]
    dimensions = [{"Name": "TargetGroup", "Value": group}, {"Name": "LoadBalancer", "Value": stack.info.load_balancer}]
    assert _total(account, "RequestCount", dimensions) == len(lines)
    assert _total(account, "HTTPCode_Target_2XX_Count", dimensions) == sum(200 <= line.status < 300 for line in lines)
    assert _total(account, "HTTPCode_Target_4XX_Count", dimensions) == sum(400 <= line.status < 500 for line in lines)
    assert _total(account, "TargetResponseTime", dimensions) == pytest.approx(sum(line.target_s or 0 for line in lines), rel=0.3, abs=0.05)
    assert _total(account, "RequestCount", dimensions[1:]) == len(front.lines())


def test_every_answer_has_exactly_one_line(front: Front):
    answers: list[Answer] = [front.ask("GET", f"/boards/{n}", API) for n in range(1, 30)]

    assert all(parse_line(front.line_of(answer.client_port)).status == answer.status for answer in answers)


def _hosts(rule: dict[str, Any]) -> list[str]:
    return [host for condition in rule["Conditions"] for host in condition["HostHeaderConfig"]["Values"]]


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _total(account: Clients, metric: str, dimensions: list[dict[str, str]]) -> float:
    now = datetime.now(UTC)
    query = {"Metric": {"Namespace": "AWS/ApplicationELB", "MetricName": metric, "Dimensions": dimensions}, "Period": 60, "Stat": "Sum"}
    answer = account.cloudwatch.get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": query}], EndTime=now + timedelta(minutes=2),
        StartTime=(now - timedelta(hours=1)).replace(second=0, microsecond=0),
    )  # fmt: skip
    return float(sum(answer["MetricDataResults"][0]["Values"]))
