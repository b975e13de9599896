"""EC2 types and AWS prices, each with its source and date, embedded and read without the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catalogue.classes import CacheNode, DatabaseClass, cache_nodes, database_classes
    from catalogue.instances import BurstRule, InstanceType, family_of, is_size_flexible, size_units, units_or_none
    from catalogue.load import Catalogue, load_catalogue, regions
    from catalogue.prices import Price, ReservedPrice, ServicePrice
    from catalogue.questions import price_questions
    from catalogue.refresh import fetch_pages, read_offer_files, store_pages
    from catalogue.snapshot import cache_folder
    from catalogue.speed import SpeedRange
    from catalogue.tables import Source, read_rows

__all__ = [
    "BurstRule", "CacheNode", "Catalogue", "DatabaseClass", "InstanceType", "Price", "ReservedPrice", "ServicePrice", "Source",
    "SpeedRange", "cache_folder", "cache_nodes", "database_classes", "family_of", "fetch_pages", "is_size_flexible", "load_catalogue",
    "price_questions", "read_offer_files", "read_rows", "regions", "size_units", "store_pages", "units_or_none",
]  # fmt: skip

# Lazy: csv, decimal and dataclasses cost milliseconds that `sizeup --help` needn't spend.
_HOME = {
    "catalogue.classes": ("CacheNode", "DatabaseClass", "cache_nodes", "database_classes"),
    "catalogue.questions": ("price_questions",),
    "catalogue.refresh": ("fetch_pages", "read_offer_files", "store_pages"),
    "catalogue.snapshot": ("cache_folder",),
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
