"""The API's JVM: told how large the host would be that it stands for, so that it sizes itself here as it would there."""

from __future__ import annotations

from collections.abc import Sequence

from catalogue import InstanceType
from sizing.jvm import default_collector

MIB = 1 << 20


def host_flags(instance: InstanceType) -> list[str]:
    """Return the flags that make a JVM see a host of this type: its memory, its CPUs, and the collector that it would choose there.

    HotSpot asks the machine itself, not MaxRAM, whether it is a server (os.cpp, is_server_class_machine), so the collector is said.
    """
    collector = default_collector(instance.vcpus, instance.usable_bytes)
    return [f"-XX:MaxRAM={instance.usable_bytes // MIB}m", f"-XX:ActiveProcessorCount={instance.vcpus}", f"-XX:+Use{collector}GC"]


def jvm_flags(instance: InstanceType, given: Sequence[str]) -> list[str]:
    """Return all flags of the JVM; a collector among those given replaces the host's, as the JVM takes only one."""
    chosen = any(flag.startswith("-XX:+Use") and flag.endswith("GC") for flag in given)
    return [flag for flag in host_flags(instance) if not (chosen and flag.startswith("-XX:+Use"))] + list(given)
