"""EC2 types and AWS prices, each with its source and date, embedded and read without the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catalogue.instances import BurstRule, InstanceType, family_of, is_size_flexible, size_units, units_or_none
    from catalogue.load import Catalogue, load_catalogue, regions
    from catalogue.prices import Price, ReservedPrice, ServicePrice
    from catalogue.speed import SpeedRange
    from catalogue.tables import Source, read_rows

__all__ = [
    "BurstRule", "Catalogue", "InstanceType", "Price", "ReservedPrice", "ServicePrice", "Source", "SpeedRange",
    "family_of", "is_size_flexible", "load_catalogue", "read_rows", "regions", "size_units", "units_or_none",
]  # fmt: skip

# Lazy: csv, decimal and dataclasses cost milliseconds that `sizeup --help` needn't spend.
_HOME = {
    "catalogue.load": ("Catalogue", "load_catalogue", "regions"),
    "catalogue.prices": ("Price", "ReservedPrice", "ServicePrice"),
    "catalogue.speed": ("SpeedRange",),
    "catalogue.tables": ("Source", "read_rows"),
    "catalogue.instances": ("BurstRule", "InstanceType", "family_of", "is_size_flexible", "size_units", "units_or_none"),
}


def __getattr__(name: str) -> Any:
    import importlib

    for module, names in _HOME.items():
        if name in names:
            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
