"""What the reservations that are held already cover."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue import size_units
from sizing.money import Held, Holding, Usage, apply_held, held_units, holdings

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SIZES = ("nano", "micro", "small", "medium", "large")


def test_one_regional_small_covers_two_micro():
    """EC2 User Guide: instance size flexibility; a small stack's example."""
    (cover,) = apply_held([Holding("r", "t3.small", 1, ends_at=date(2027, 2, 1))], [Usage("api", "t3.micro", 2)], NOW)

    assert cover.as_json() == {
        "id": "r", "type": "t3.small", "count": 1, "units": 1, "ends_at": "2027-02-01T00:00:00Z",
        "covers": [{"class": "api", "type": "t3.micro", "count": 2}], "unused_units": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("holding", "usage", "covered"),
    [
        (Holding("zonal", "t3.small", 1, "zonal"), Usage("api", "t3.micro", 2), 0),
        (Holding("zonal", "t3.small", 1, "zonal"), Usage("api", "t3.small", 2), 1),
        (Holding("zonal", "t3.small", 1, "zonal", zone="ap-northeast-2a"), Usage("api", "t3.small", 1, zone="ap-northeast-2c"), 0),
        (Holding("windows", "t3.small", 1, platform="Windows"), Usage("api", "t3.micro", 2), 0),
        (Holding("windows", "t3.small", 1, platform="Windows"), Usage("api", "t3.micro", 2, platform="Windows"), 0),
        (Holding("dedicated", "t3.small", 1, tenancy="dedicated"), Usage("api", "t3.small", 1), 0),
        (Holding("other family", "t3a.small", 1), Usage("api", "t3.small", 1), 0),
        (Holding("not flexible", "g4dn.2xlarge", 1), Usage("api", "g4dn.xlarge", 2), 0),
        (Holding("not flexible", "g4dn.2xlarge", 1), Usage("api", "g4dn.2xlarge", 2), 1),
        (Holding("database", "db.t3.small", 1), Usage("db", "db.t3.micro", 2), 2),
        (Holding("half", "t3.micro", 1), Usage("api", "t3.small", 1), Decimal("0.5")),
    ],
    ids=lambda v: getattr(v, "id", str(v)),
)
def test_what_a_reservation_covers_depends_on_scope_platform_tenancy_and_family(holding, usage, covered):
    """EC2 User Guide, "How Reserved Instances are applied", limitations."""
    (cover,) = apply_held([holding], [usage], NOW)

    assert sum(count for _, _, count in cover.covers) == covered


def test_a_reservation_that_has_ended_covers_nothing_and_is_not_listed():
    """Ours: at the midnight of its day, UTC; without a day it runs."""
    held = [
        Holding("gone", "t3.small", 1, ends_at=date(2026, 11, 24)),
        Holding("runs", "t3.small", 1, ends_at=date(2026, 11, 25)),
        Holding("open", "t3.small", 1),
    ]

    covers = apply_held(held, [Usage("api", "t3.small", 3)], NOW)

    assert [c.holding.id for c in covers] == ["runs", "open"]
    assert held_units(held, "t3", NOW) == 2


def test_without_known_hosts_it_says_what_a_reservation_could_carry():
    """Say so wherever a held reservation would cover the recommended hosts."""
    (cover,) = apply_held([Holding("r", "t3.small", 1)], [], NOW)

    assert cover.sentence == "1 × t3.small is held (regional): it covers 1 × t3.small, or 2 × t3.micro."
    assert cover.unused_units == 1


def test_what_settings_and_account_both_name_counts_once():
    """docs/reference/settings.md: [[held]] is what the account says too."""
    ends = "2027-02-01T00:00:00Z"
    row = {"id": "ri-1", "service": "ec2", "type": "t3.small", "count": 1, "scope": "Region", "payment": "all_upfront", "ends_at": ends}
    topology = {"reservations": [row]}

    both = holdings([Held(type="t3.small"), Held(type="t3.small"), Held(type="t2.micro", scope="zonal")], topology)

    assert [(h.id, h.type, h.scope) for h in both] == [
        ("ri-1", "t3.small", "regional"),
        ("held-2", "t3.small", "regional"),
        ("held-3", "t2.micro", "zonal"),
    ]
    assert both[0].ends_at == datetime(2027, 2, 1, tzinfo=UTC)


def test_an_account_without_reservations_leaves_what_is_stated():
    """Ours."""
    stated = SimpleNamespace(type="t3.small", count=2, scope="regional", payment=None, ends_at=None)

    assert [h.count for h in holdings([stated], {})] == [2]


@given(
    st.lists(st.tuples(st.sampled_from(SIZES), st.integers(1, 4)), max_size=4),
    st.lists(st.tuples(st.sampled_from(SIZES), st.integers(1, 4)), max_size=4),
)
def test_no_unit_is_used_twice_and_none_is_left_where_a_host_lacks_it(held, running):
    """Regional reservations of one family: what is covered is the lesser of units held and units used."""
    owned = [Holding(f"r{n}", f"t3.{size}", count, ends_at=NOW + timedelta(days=1)) for n, (size, count) in enumerate(held)]
    usage = [Usage(f"c{n}", f"t3.{size}", count) for n, (size, count) in enumerate(running)]

    covers = apply_held(owned, usage, NOW)

    covered = sum((count * size_units(name) for c in covers for _, name, count in c.covers), Decimal(0))
    units_held, units_used = sum(h.units for h in owned), sum(u.count * size_units(u.type) for u in usage)
    assert covered == min(units_held, units_used)
    assert sum(c.unused_units for c in covers) == units_held - covered
    for use in usage:
        assert sum((n for c in covers for name, _, n in c.covers if name == use.host_class), Decimal(0)) <= use.count
