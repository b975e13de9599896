"""Disk at the peak: what the host reads and writes against the type's baseline to its volumes; bursts above it are never counted on."""

from __future__ import annotations

import numpy as np

from sizing.constraints import Constraint, network
from sizing.types import F8, Bools, World


def need(world: World) -> F8:
    """Bits a second between one host and its volumes at the peak, shape (C, S); T2 has one line for these and the network."""
    disk = world.model.disk
    if disk is None:
        raise ValueError("the disk's bytes were not sampled")
    arrivals = world.traffic.peak_draws * float(world.model.per_external.sum())
    bits: F8 = (arrivals * disk.bytes_per_arrival_draws / world.hosts_left + disk.background_bytes_per_s_draws) * 8
    return np.where(_shared(world), bits + network.need(world), bits)


def have(world: World) -> F8:
    """Baseline bandwidth to the volumes, shape (C, 1); the network's where the type has none of its own."""
    baseline = np.array([[float(c.instance.ebs_baseline_bit_per_s or np.inf)] for c in world.candidates])
    return np.where(_shared(world), network.have(world), baseline)


def _shared(world: World) -> Bools:
    return np.array([[c.instance.ebs_baseline_bit_per_s is None] for c in world.candidates])


CONSTRAINT = Constraint(
    asks="does the baseline to the volumes carry the peak?",
    unit="bit_per_s",
    need=need,
    have=have,
    applies=lambda world: world.model.disk is not None,
)
