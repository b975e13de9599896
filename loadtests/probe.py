"""Which rates to step through, out of a short probe at a low rate: the host's busiest core must stay clear of its limit."""

from __future__ import annotations

from evidence import SizeupError

CEILING_CORES = 0.55
RATE_MAX_PER_S = 60.0
RATE_MIN_PER_S = 0.5


def probe_rates(
    cpu_s_per_request: float, *, background_cores: float = 0.0, ceiling_cores: float = CEILING_CORES, rate_max_per_s: float = RATE_MAX_PER_S
) -> list[float]:
    """Return three rising rates, about 1/3, 2/3 and all of what keeps a host under its ceiling.

    The utilisation law: busy cores = background + rate × demand, so rate ≤ (ceiling − background) / demand. Rates are
    rounded down to two digits, since a probe of seconds carries no more and a rounding up could cross the ceiling.

    Parameters
    ----------
    cpu_s_per_request : float
        CPU seconds of the host that one request from outside costs, server-side calls included; 0 where none was seen.
    background_cores, ceiling_cores : float
        Cores busy without load; cores that may be busy at the highest rate.

    Raises
    ------
    SizeupError
        Where the host is too busy for even the lowest rate.
    """
    spare_cores = ceiling_cores - background_cores
    highest = rate_max_per_s if cpu_s_per_request * rate_max_per_s <= spare_cores else spare_cores / cpu_s_per_request
    if highest < RATE_MIN_PER_S:
        raise SizeupError(
            f"one request costs {cpu_s_per_request:.3g} CPU seconds and {background_cores:.2g} cores are busy without any: "
            f"{RATE_MIN_PER_S:g} requests a second would exceed {ceiling_cores:.2g} cores; name rates with --rates."
        )
    return [_two_digits_down(highest * part) for part in (1 / 3, 2 / 3, 1.0)]


def _two_digits_down(rate: float) -> float:
    digits = f"{rate:.9e}"
    mantissa, exponent = int(digits[0] + digits[2]), int(digits.partition("e")[2])
    return mantissa * 10.0 ** (exponent - 1) if exponent > 1 else round(mantissa / 10.0 ** (1 - exponent), 6)
