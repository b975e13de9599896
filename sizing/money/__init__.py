"""What a stack costs, what is reserved already, and whether a purchase may be made on the evidence there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sizing.money.buy import Buy, PurchasePrice, parse_buy, parse_usd, purchase_price
    from sizing.money.compare import OfferRow, compare_offers
    from sizing.money.free_tier import free_months_left
    from sizing.money.gate import Gate, GateEvidence, run_reasons
    from sizing.money.held import Cover, Holding, Usage, apply_held, held_units, holdings
    from sizing.money.lcu import Lcu, alb_lcu, nlb_lcu
    from sizing.money.settings import GateSettings, Held
    from sizing.money.stack import StackCost, StackLine, address_usd, stack_cost

__all__ = [
    "Buy", "Cover", "Gate", "GateEvidence", "GateSettings", "Held", "Holding", "Lcu", "OfferRow", "PurchasePrice", "StackCost",
    "StackLine", "Usage", "address_usd", "alb_lcu", "apply_held", "compare_offers", "free_months_left", "held_units",
    "holdings", "nlb_lcu", "parse_buy", "parse_usd", "purchase_price", "run_reasons", "stack_cost",
]  # fmt: skip

# Lazy: the settings need pydantic, the rest only decimal. The function `gate` is named like its module, so the face of
# `sizing` has it and here it is sizing.money.gate.gate.
_HOMES = {
    "buy": ("Buy", "PurchasePrice", "parse_buy", "parse_usd", "purchase_price"),
    "compare": ("OfferRow", "compare_offers"),
    "free_tier": ("free_months_left",),
    "gate": ("Gate", "GateEvidence", "run_reasons"),
    "held": ("Cover", "Holding", "Usage", "apply_held", "held_units", "holdings"),
    "lcu": ("Lcu", "alb_lcu", "nlb_lcu"),
    "settings": ("GateSettings", "Held"),
    "stack": ("StackCost", "StackLine", "address_usd", "stack_cost"),
}


def __getattr__(name: str) -> Any:
    import importlib

    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"sizing.money.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
