"""Published queues, networks and scaling curves against sizing.model."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from truth_cases import HERE, agrees, case, of_kind

from sizing.model.latency import erlang_c
from sizing.model.network import (
    closed_network,
    closed_network_classes,
    closed_network_schweitzer,
    little,
    open_network,
    utilisation_law,
)
from sizing.model.queueing import allen_cunneen_wait_s, ggc_wait_s, mg1_present, mmc, mmck, servers_needed, service_level
from sizing.model.usl import Usl, fit_usl


def solved(told, **found):
    return agrees({key: value for key, value in told["expected"].items() if key in found}, found, told["tolerance"])


def test_erlang_c_of_fifteen_servers_equals_a_published_table():
    told = case("E-erlangc-libre-15")
    c, rho = float(told["inputs"]["c"]), np.array(told["inputs"]["rho"])

    assert solved(told, p_wait=erlang_c(np.full(3, c), c * rho).tolist())


def test_a_call_centre_is_staffed_as_the_published_example():
    told = case("E-erlangc-staffing")
    asked = told["inputs"]
    rates = (asked["lambda"], asked["mu"])

    level = {str(n): service_level(*rates, n, asked["target_s"]) for n in asked["agents"]}

    assert solved(told, service_level=level, required=servers_needed(*rates, asked["target_s"], asked["goal"]))
    assert service_level(*rates, 5, asked["target_s"]) == 0.0


@pytest.mark.parametrize("told", of_kind("mmc"), ids=lambda c: c["id"])
def test_m_m_c_equals_the_textbooks(told):
    station = mmc(told["inputs"]["lambda"], told["inputs"]["mu"], told["inputs"]["c"])

    assert solved(
        told, L=station.present, W=station.response_s, Wq=station.wait_s, p0=station.p_empty, Lq=station.waiting, p_wait=station.p_wait
    )


@pytest.mark.parametrize("told", of_kind("mmck"), ids=lambda c: c["id"])
def test_a_finite_room_has_an_answer_at_any_load(told):
    """At equal rates 1/(1−ρ) would divide by zero, in overload there would be no answer without the room's end."""
    shares = mmck(told["inputs"]["lambda"], told["inputs"]["mu"], told["inputs"]["m"], told["inputs"]["K"])

    assert solved(told, p0=shares[0], pK=shares[-1], Q=float(shares @ np.arange(len(shares))))


@pytest.mark.parametrize("told", of_kind("ggc"), ids=lambda c: c["id"])
def test_waits_of_g_g_c_are_the_published_approximations_and_near_the_simulated_truth(told):
    """Allen–Cunneen errs by up to 36 % where arrivals are paced; Whitt's correction stays within 10 % of the simulation."""
    asked = told["inputs"]
    queue = (asked["lambda"], asked["mu"], asked["c"], asked["ca2"], asked["cs2"])

    wait_s = ggc_wait_s(*queue)

    assert solved(told, Wq_allen_cunneen=allen_cunneen_wait_s(*queue), Wq_whitt=wait_s)
    assert wait_s == pytest.approx(asked["simulated_Wq"], rel=0.1)


def test_littles_law_counts_who_is_present():
    bank, jobs = case("E-little-bank"), case("E-little-jobs")
    rate = jobs["inputs"]["N"] / jobs["inputs"]["R"]

    assert solved(bank, N=little(bank["inputs"]["x"], bank["inputs"]["R"]))
    assert solved(jobs, X=rate, per_day=rate * 86_400)
    assert little(rate, jobs["inputs"]["R"]) == pytest.approx(jobs["inputs"]["N"])


def test_the_utilisation_law_gives_the_demand_of_a_transaction():
    told = case("E-menasce-oplaws")

    used, rate, demand_s = utilisation_law(told["inputs"]["B"], told["inputs"]["T"], told["inputs"]["C"])

    assert solved(told, U=used, X=rate, S=demand_s)


def test_a_station_asked_for_all_it_can_do_has_no_finite_answer():
    told = case("E-mg1-unstable-trap")["inputs"]

    with pytest.raises(ValueError, match="grows without end"):
        mg1_present(told["lam"], 1 / told["ES"], told["ES2"] - told["ES"] ** 2)


def test_pollaczek_khinchine_keeps_its_square():
    told = case("E-pk-wrong-formula")
    asked = told["inputs"]

    assert solved(told, rho=asked["lam"] / asked["mu"], L_correct=mg1_present(asked["lam"], asked["mu"], asked["var"]))


@pytest.mark.parametrize("told", of_kind("open_qn"), ids=lambda c: c["id"])
def test_an_open_network_equals_the_textbooks(told):
    asked = told["inputs"]
    visits = np.array(asked["V"])

    found = open_network(np.array(asked["lambda"]), visits, np.array(asked["S"]))

    assert solved(
        told,
        U=found.utilisation.tolist(),
        R=found.response_s.tolist(),
        Q=found.present.tolist(),
        X_centres=(asked["lambda"] * visits).tolist(),
    )


def test_classes_of_an_open_network_share_their_stations():
    told = case("E-open-multiclass")
    asked = told["inputs"]
    visits = np.array(asked["V"])

    found = open_network(np.array(asked["lambda"]), visits, np.array(asked["S"]))

    residence = visits * found.response_s
    assert solved(told, U=found.utilisation.tolist(), residence=residence.tolist(), Q=found.present.tolist())


def test_an_open_network_beyond_its_capacity_is_refused():
    with pytest.raises(ValueError, match="station 2"):
        open_network(np.array(2.0), np.array([1.0, 1.0]), np.array([0.1, 0.6]))


@pytest.mark.parametrize("told", of_kind("mva"), ids=lambda c: c["id"])
def test_mean_value_analysis_equals_the_textbooks(told):
    asked = told["inputs"]
    servers = [max(m, 0) for m in asked.get("m", [1] * len(asked["S"]))]

    found = closed_network(asked["N"], np.array(asked["V"]), np.array(asked["S"]), servers)

    assert solved(
        told, X=float(found.throughput), Q=found.present.tolist(), X_centres=(found.throughput * np.array(asked["V"])).tolist()
    )


@pytest.mark.parametrize(("population", "lo", "hi"), [(5, 6.66, 6.7297), (10, 8.0219, 8.27), (20, 8.8672, 9.3387), (80, 9.6736, 10)])
def test_mean_value_analysis_lies_within_the_balanced_bounds(population, lo, hi):
    """E-mva-tableIV: Zahorjan et al., Balanced Job Bounds."""
    asked = case("E-mva-tableIV")["inputs"]

    assert lo <= float(closed_network(population, np.array(asked["V"]), np.array(asked["S"])).throughput) <= hi


def test_mean_value_analysis_of_two_classes_equals_the_package():
    told = case("E-mva2-small")
    asked = told["inputs"]

    found = closed_network_classes(asked["N"], np.array(asked["V"]), np.array(asked["S"]), [max(m, 0) for m in asked["m"]])

    assert solved(told, X=found.throughput.tolist(), R=found.response_s.tolist())


def test_approximate_mean_value_analysis_equals_lazowskas():
    told = case("E-mva-schweitzer")
    asked = told["inputs"]

    found = closed_network_schweitzer(asked["N"], np.array(asked["V"]), np.array(asked["S"]), asked["Z"])

    system = float(np.array(asked["V"]) @ found.response_s)
    assert solved(told, Q=found.present.tolist(), X=float(found.throughput), R_system=system)


@pytest.mark.parametrize("told", of_kind("usl_fit"), ids=lambda c: c["id"])
def test_the_scalability_law_is_fitted_as_rs_usl_fits_it(told):
    """Coefficients and standard errors are the R package's; intervals are by t(0.975, n − 3), where the package took t(0.95, n − 1)."""
    law = fit_usl(np.array(told["inputs"]["N"]), np.array(told["inputs"]["X"]))

    at95 = law.interval(0.95)
    assert solved(
        told,
        alpha=law.contention,
        beta=law.coherency,
        gamma=law.rate,
        se_alpha=law.errors[0],
        se_beta=law.errors[1],
        se_gamma=law.errors[2],
        rse=law.residual,
        peak_N=law.peak,
        peak_X=float(law.throughput(np.array(law.peak))),
        limit=law.limit,
        optimal_N=1 / law.contention,
        fitted=law.throughput(np.array(told["inputs"]["N"])).tolist(),
        df=law.freedom,
        ci_alpha=list(at95["contention"]),
        ci_beta=list(at95["coherency"]),
        ci_gamma=list(at95["rate"]),
    )


@pytest.mark.parametrize("told", of_kind("usl_eval"), ids=lambda c: c["id"])
def test_a_stated_law_gives_throughput_latency_and_peak(told):
    asked = told["inputs"]
    law = Usl(asked["gamma"], asked["alpha"], asked["beta"])
    n = np.array(asked["N"], dtype=float)

    assert solved(
        told,
        X=law.throughput(n).tolist(),
        latency=law.response_s(n).tolist(),
        peak_N=law.peak,
        peak_X=float(law.throughput(np.array(law.peak))),
    )


def test_the_law_says_which_concurrency_a_latency_allows():
    told = case("E-usl-n-at-latency")
    law = fit_usl(np.array(told["inputs"]["N"]), np.array(told["inputs"]["X"]))

    assert solved(told, N_at_latency=[law.concurrency_at(r) for r in told["inputs"]["latencies"]])
    assert law.extrapolates(20.2)
    assert not law.extrapolates(20)


def test_three_steps_are_too_few_for_the_law():
    with pytest.raises(ValueError, match="four steps"):
        fit_usl(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.9, 2.7]))


def rows(name):
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_connections_over_throughput_is_the_response_time():
    """F-static-web-little: what wrk reports lies 8 to 12 % below N/X from four connections on."""
    told = case("F-static-web-little")
    kept = [r for r in rows(told["inputs"]["file"])[1:] if r[0] == told["inputs"]["size"] and int(r[1]) == told["inputs"]["threads"]]
    n, x, latency = (np.array([float(r[k]) for r in kept]) for k in (2, 3, 4))

    assert solved(
        told, connections=n.tolist(), rps=x.tolist(), n_over_x_us=(n / x * 1e6).tolist(), little_ratio=[
            little(rate, r) / c for rate, r, c in zip(x, latency, n, strict=True)
        ]
    )  # fmt: skip
    assert not math.isnan(fit_usl(n, x).contention)
