"""What a stack costs, what is reserved already, and whether a purchase may be made on the evidence there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sizing.money.alternatives import Alternative, ServiceDemand, other_ways
    from sizing.money.buy import Buy, PurchasePrice, parse_buy, parse_usd, purchase_price
    from sizing.money.compare import OfferRow, compare_offers
    from sizing.money.ebs import fast_restore_usd, gp3_usd, io2_usd, plain_volume_usd
    from sizing.money.fargate import FargateRates, TaskSize, fargate_usd, is_task_size, sizes_that_hold
    from sizing.money.free_tier import FreeTier, free_months_left, free_tier_of
    from sizing.money.functions import ephemeral_storage_usd, function_usd, provisioned_usd, snap_start_usd, tenant_isolation_usd
    from sizing.money.gate import Gate
    from sizing.money.held import Cover, Holding, Usage, apply_held, held_units, holdings
    from sizing.money.lcu import Lcu, alb_lcu, nlb_lcu
    from sizing.money.month import MonthlyUse, run_use
    from sizing.money.reasons import GateEvidence, run_reasons
    from sizing.money.settings import GateSettings, Held
    from sizing.money.stack import address_usd, stack_cost
    from sizing.money.stack_lines import StackCost, StackLine
    from sizing.money.usage import SurplusCharge, between_zones_usd, credits_usd, egress_usd, metric_data_usd, surplus_charge

__all__ = [
    "Alternative", "Buy", "Cover", "FargateRates", "FreeTier", "Gate", "GateEvidence", "GateSettings", "Held", "Holding", "Lcu",
    "MonthlyUse", "OfferRow", "PurchasePrice", "ServiceDemand", "StackCost", "StackLine", "SurplusCharge", "TaskSize", "Usage",
    "address_usd", "alb_lcu", "apply_held", "between_zones_usd", "compare_offers", "credits_usd", "egress_usd",
    "ephemeral_storage_usd",
    "fargate_usd", "fast_restore_usd", "free_months_left", "free_tier_of", "function_usd", "gp3_usd", "held_units", "holdings",
    "io2_usd", "is_task_size", "metric_data_usd", "nlb_lcu", "other_ways", "parse_buy", "parse_usd", "plain_volume_usd", "provisioned_usd",
    "purchase_price", "run_reasons", "run_use", "sizes_that_hold", "snap_start_usd", "stack_cost", "surplus_charge",
    "tenant_isolation_usd",
]  # fmt: skip

# Lazy: the settings need pydantic, the rest only decimal. The function `gate` is named like its module, so the face of
# `sizing` has it and here it is sizing.money.gate.gate.
_HOMES = {
    "alternatives": ("Alternative", "ServiceDemand", "other_ways"),
    "buy": ("Buy", "PurchasePrice", "parse_buy", "parse_usd", "purchase_price"),
    "compare": ("OfferRow", "compare_offers"),
    "ebs": ("fast_restore_usd", "gp3_usd", "io2_usd", "plain_volume_usd"),
    "fargate": ("FargateRates", "TaskSize", "fargate_usd", "is_task_size", "sizes_that_hold"),
    "free_tier": ("FreeTier", "free_months_left", "free_tier_of"),
    "functions": ("ephemeral_storage_usd", "function_usd", "provisioned_usd", "snap_start_usd", "tenant_isolation_usd"),
    "gate": ("Gate",),
    "held": ("Cover", "Holding", "Usage", "apply_held", "held_units", "holdings"),
    "lcu": ("Lcu", "alb_lcu", "nlb_lcu"),
    "month": ("MonthlyUse", "run_use"),
    "reasons": ("GateEvidence", "run_reasons"),
    "settings": ("GateSettings", "Held"),
    "stack": ("address_usd", "stack_cost"),
    "stack_lines": ("StackCost", "StackLine"),
    "usage": ("SurplusCharge", "between_zones_usd", "credits_usd", "egress_usd", "metric_data_usd", "surplus_charge"),
}


def __getattr__(name: str) -> Any:
    import importlib

    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"sizing.money.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
