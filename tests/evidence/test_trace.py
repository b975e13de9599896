"""A request's trace id names its run, its worker and its row."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evidence import make_trace, parse_trace, route_name, trace_run


@given(worker=st.integers(0, 65535), seq=st.integers(0, 2**31), epoch=st.integers(0, 2**32 - 1))
def test_what_is_made_is_read_back(worker, seq, epoch):
    run12 = trace_run("20261124T030000Z-staging-ramp")

    trace = parse_trace(make_trace(run12, worker, seq, epoch))

    assert (trace.run12, trace.worker, trace.seq, trace.epoch_s) == (run12, worker, seq, epoch)


def test_a_load_balancer_s_self_before_the_root_is_no_hindrance():
    """ELB user guide, request tracing: a Root that came in is kept, a Self is put before it."""
    root = make_trace(trace_run("r"), 1, 2, 3)

    assert parse_trace(f"Self=1-67891234-12456789abcdef012345678;{root}").seq == 2


def test_a_route_has_no_ids_and_no_query():
    assert route_name("get", "http://x:80/boards/12/comments?page=2") == "GET /boards/[id]/comments"
    assert route_name("GET", "/") == "GET /"
