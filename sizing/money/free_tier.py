"""How long does a free tier still pay for a type? Reserving meanwhile buys what is free.

Accounts from before 2025-07-15 have 750 h a month of t2.micro for twelve months (t3.micro only where t2.micro is absent);
later ones have credits and a plan, which pay for any type while they last. Which one it is, the settings state; nothing is
guessed. Source: AWS Free Tier, https://aws.amazon.com/free/.
"""

from __future__ import annotations

from datetime import date

from catalogue import Catalogue

DAYS_A_MONTH = 365 / 12


def free_months_left(name: str, free_tier: str, ends_at: date | None, today: date, catalogue: Catalogue) -> float | None:
    """Return the months for which the free tier still pays for `name`.

    Parameters
    ----------
    free_tier : str
        [account] free_tier: legacy, credits, none or unknown.
    ends_at : date or None
        When it ends, where the settings say so.

    Returns
    -------
    float or None
        0 where it doesn't pay; None where that isn't known.
    """
    if free_tier == "none" or (free_tier == "legacy" and name != legacy_type(catalogue)):
        return 0.0
    if free_tier == "unknown" or ends_at is None:
        return None
    return max(0, (ends_at - today).days) / DAYS_A_MONTH


def legacy_type(catalogue: Catalogue) -> str:
    return "t2.micro" if catalogue.on_demand("t2.micro") is not None else "t3.micro"
