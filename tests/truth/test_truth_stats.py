"""Published statistics: Sharpe family (01), PBO (02), concentration (07), unit roots, breaks, drift (08), SPA (09).

Stances where the peers disagree, by the numbers of the truth notes. 1: sample deviation and plain moment ratios by
default; `ddof` and `unbiased` give the others. 2: one trial expects 0; the exact expectation by argument. 3, 4, 5: a
logit of 0 counts, ties are averaged over N + 1, every row is kept; `at_median`, `ties`, `rank_over`, `remainder` give
the others. 6: a column is constant by its range. 7: the line is out of sample on in sample. 15: zero returns are no
gains unless asked. 16: SPA studentises. 18: PSI over quantile bins of the reference, floor 1e-4; equal widths by
argument.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from farm.stats import (
    Moments,
    adf,
    chow_test,
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    herfindahl_index,
    kolmogorov_smirnov,
    kpss,
    mann_whitney,
    mean_shift,
    minimum_backtest_length,
    minimum_track_record_length,
    population_stability_index,
    probabilistic_sharpe_ratio,
    probability_of_backtest_overfitting,
    reality_check,
    return_concentration,
    sharpe_ratio,
    spa,
    wasserstein_distance,
)
from farm.stats.sharpe import sharpe_variance

FILES = (
    "01_dsr_psr.json",
    "02_pbo_cscv.json",
    "07_betsizing_kelly_stats.json",
    "08_stationarity_breaks_drift.json",
    "09_reality_check_spa.json",
)


class Result(NamedTuple):
    case: str
    source: str
    ours: float
    theirs: float
    difference: float
    tolerance: float  # not a number: the two differ for the reason in the note
    note: str = ""


class Number(NamedTuple):
    name: str
    ours: float
    theirs: float
    tolerance: float | None = None  # None: the case's
    explained: str = ""


def results() -> list[Result]:
    """One row for every number of every case about returns; empty where FARM_TRUTH is unset."""
    folder = os.environ.get("FARM_TRUTH")
    if not folder:
        return []
    return [row for case_id in case_ids() for row in results_of(case_id)]


def case_ids() -> list[str]:
    """The ids of the cases this room answers, none where FARM_TRUTH is unset."""
    folder = os.environ.get("FARM_TRUTH")
    return [case["id"] for case in _cases(Path(folder)) if _kind(case)] if folder else []


def results_of(case_id: str) -> list[Result]:
    folder = Path(os.environ["FARM_TRUTH"])
    case = next(case for case in _cases(folder) if case["id"] == case_id)
    rows = []
    for number in _kind(case)(case, folder):
        tolerance = case["tol"] if number.tolerance is None else number.tolerance
        theirs = float(number.theirs)
        difference = 0.0 if number.ours == theirs else abs(number.ours - theirs)  # infinities are equal
        name = f"{case_id}/{number.name}"
        limit = float("nan") if number.explained else tolerance
        rows.append(Result(name, case["source"], number.ours, theirs, difference, limit, number.explained))
    return rows


def _cases(folder: Path) -> list[dict]:
    return [case for file in FILES for case in json.loads((folder / file).read_text())["cases"]]


def _kind(case: dict):
    """The comparison that fits a case's inputs, or None for what another room answers."""
    given = case["inputs"] if isinstance(case["inputs"], dict) else {}
    return next((compare for keys, compare in KINDS if keys <= given.keys()), None)


def _published(case: dict, ours: dict[str, float]) -> Iterator[Number]:
    for name, theirs in (case.get("published") or {}).items():
        yield Number(f"published {name}", ours[name], theirs, case.get("tol_vs_published", case["tol"]))


def _deflated(case: dict, folder: Path) -> Iterator[Number]:
    given = case["inputs"]
    if "sr_annual" in given:
        periods = given["periods_per_year"]
        sharpe, variance = given["sr_annual"] / periods**0.5, given["var_sr_annual"] / periods
    else:
        sharpe, variance = given["sr"], given["sr_std"] ** 2
    moments = Moments(sharpe, given["T"], given["skew"], given["kurtosis_nonexcess"])
    ours = {
        "sr_per_period": sharpe,
        "sr0_per_period": expected_maximum_sharpe(given["N"], variance),
        "sr0": expected_maximum_sharpe(given["N"], variance),
        "dsr": deflated_sharpe_ratio(moments, n_trials=given["N"], trial_sharpe_variance=variance),
    }
    yield from (Number(name, ours[name], theirs) for name, theirs in case["expected"].items())
    yield from _published(case, ours)


def _probabilistic(case: dict, folder: Path) -> Iterator[Number]:
    given = case["inputs"]
    moments = Moments(given["sr"], given["T"], given["skew"], given["kurtosis_nonexcess"])
    ours = {"psr": probabilistic_sharpe_ratio(moments, given["benchmark"])}
    yield Number("psr", ours["psr"], case["expected"]["psr"])
    yield from _published(case, ours)


def _track_record(case: dict, folder: Path) -> Iterator[Number]:
    given = case["inputs"]
    periods = given.get("periods_per_year", 1)
    sharpe, benchmark = (given.get(f"{name}_annual", given.get(name)) / periods**0.5 for name in ("sr", "benchmark"))
    moments = Moments(sharpe, 100, given["skew"], given["kurtosis_nonexcess"])
    length = minimum_track_record_length(moments, benchmark, given.get("prob", 1 - given.get("alpha", 0.05)))
    ours = {"min_trl_obs": length, "min_trl_years": length / periods}
    yield from (Number(name, ours[name], theirs) for name, theirs in case["expected"].items())
    yield from _published(case, ours)


def _backtest_length(case: dict, folder: Path) -> Iterator[Number]:
    given = case["inputs"]
    years = minimum_backtest_length(given["N"], given["sr_is_annual"])
    yield Number("min_btl_years", years, case["expected"]["min_btl_years"])
    bound = 2 * np.log(given["N"]) / given["sr_is_annual"] ** 2
    yield Number("upper_bound_years", bound, case["expected"]["upper_bound_years"])
    yield from _published(case, {"min_btl_years": years})


def _expected_maximum(case: dict, folder: Path) -> Iterator[Number]:
    n = case["inputs"]["N"]
    yield Number("exact", expected_maximum_sharpe(n, exact=True), case["expected"]["exact"])
    approximation = case["expected"]["approx"]
    if approximation is None or not np.isfinite(float(approximation)):
        return
    yield Number("approx", expected_maximum_sharpe(n), max(approximation, 0.0))
    yield from _published(case, {"approx": expected_maximum_sharpe(n)})


def _sharpe(case: dict, folder: Path) -> Iterator[Number]:
    given, expected = case["inputs"], case["expected"]
    excess = np.array(given["returns"]) - given["rf_per_period"]
    ours = {ddof: sharpe_ratio(excess, given["periods_per_year"], ddof=ddof) for ddof in (0, 1)}
    yield from (Number(f"sharpe_ddof{ddof}", ours[ddof], expected[f"sharpe_ddof{ddof}"]) for ddof in (0, 1))
    yield from _published(case, {"sharpe": ours[1]})


def _real_series(case: dict, folder: Path) -> Iterator[Number]:
    given, expected = case["inputs"], case["expected"]
    returns = np.loadtxt(folder / given["returns_csv"])
    purgedcv = Moments.of(returns, ddof=0, unbiased=True)
    phacker = Moments.of(returns)
    pypbo = Moments.of(returns, unbiased=True)
    deflation = {"n_trials": given["n_trials"], "trial_sharpe_variance": given["var_sharpe_per_obs"]}
    ours = {
        "T": phacker.n_obs,
        "sr_ddof0": purgedcv.sharpe,
        "sr_ddof1": phacker.sharpe,
        "skew_biased": phacker.skew,
        "kurt_biased": phacker.kurtosis,
        "skew_unbiased": purgedcv.skew,
        "kurt_unbiased": purgedcv.kurtosis,
        "kurt_pandas_plus3": pypbo.kurtosis,
        "psr0_ddof0_unbiased": probabilistic_sharpe_ratio(purgedcv),
        "psr0_ddof1_biased": probabilistic_sharpe_ratio(phacker),
        "psr0_ddof1_pandas": probabilistic_sharpe_ratio(pypbo),
        "purgedcv_psr0": probabilistic_sharpe_ratio(purgedcv),
        "purgedcv_dsr": deflated_sharpe_ratio(purgedcv, **deflation),
        "phacker_sharpe_se": (sharpe_variance(phacker) / (phacker.n_obs - 1)) ** 0.5,
    }
    yield from (Number(name, own, expected[name]) for name, own in ours.items() if name in expected)
    fields = expected.get("purgedcv_fields", {})
    if "sr_star" in fields:
        yield Number("purgedcv sr_star", expected_maximum_sharpe(*deflation.values()), fields["sr_star"])
        yield Number("purgedcv expected_max_z", expected_maximum_sharpe(given["n_trials"]), fields["expected_max_z"])


REFERENCES = {
    "reference_unequal_blocks": {},
    "reference_avgties_Np1_droptail": {"remainder": "drop_last"},
    "reference_drophead": {"remainder": "drop_first"},
    "reference_minties": {"remainder": "drop_last", "ties": "lowest"},
    "reference_rank_over_N": {"remainder": "drop_last", "rank_over": "n"},
    "pypbo": {"remainder": "drop_first"},
    "phacker_cpp": {"remainder": "drop_last", "ties": "lowest"},
    "phacker_numpy": {"remainder": "drop_last", "ties": "lowest"},
    "purgedcv": {"at_median": "sound"},
}


def _overfitting(case: dict, folder: Path) -> Iterator[Number]:
    given, expected = case["inputs"], case["expected"]
    returns = np.loadtxt(folder / given["returns_csv_gz"], delimiter=",")
    for name, choices in REFERENCES.items():
        theirs = expected.get(name, {})
        if any(field in theirs for field in ("error", "raises")):
            continue
        found = probability_of_backtest_overfitting(returns, given["S"], **choices)
        above_median = probability_of_backtest_overfitting(returns, given["S"], **{**choices, "at_median": "sound"})
        mean_logit = found.logits.mean()
        ours = {
            "pbo": found.pbo,
            "pbo_le": found.pbo,
            "pbo_lt": above_median.pbo,
            "mean_logit": mean_logit,
            "median_logit": np.sort(found.logits)[[(len(found.logits) - 1) // 2, len(found.logits) // 2]].mean(),
            "n_combos": len(found.logits),
            "n_zero_logit": int(np.sum(found.logits == 0.0)),
            "prob_oos_loss": found.probability_of_loss,
            "slope": found.slope,
            "slope_oos_on_is": found.slope,
            "intercept": found.intercept,
            "distinct_is_best": len(np.unique(found.selected)),
        }
        yield from (Number(f"{name} {field}", own, theirs[field]) for field, own in ours.items() if field in theirs)
        for i, column in enumerate(theirs.get("is_best_first5", [])):
            yield Number(f"{name} is_best[{i}]", int(found.selected[i]), column)
    yield from _r_package(returns, given, expected.get("R_pbo", {}))


def _r_package(returns: np.ndarray, given: dict, theirs: dict) -> Iterator[Number]:
    if not theirs:
        return
    ours = probability_of_backtest_overfitting(returns, given["S"], rank_over="n")
    line = probability_of_backtest_overfitting(returns, given["S"])
    uneven = "" if len(returns) % given["S"] == 0 else "R pbo cuts blocks at fractional rows where S does not divide T"
    yield Number("R_pbo phi", ours.pbo, theirs["phi"], 1e-9, uneven)
    yield Number("R_pbo below_threshold", ours.probability_of_loss, theirs["below_threshold"], 6e-4, uneven)
    swapped = "R pbo regresses in sample on out of sample and returns slope and intercept in each other's place"
    yield Number("R_pbo slope", line.slope, theirs["field_named_slope"], None, swapped)
    yield Number("R_pbo intercept", line.intercept, theirs["field_named_intercept"], None, swapped)


def _concentration(case: dict, folder: Path) -> Iterator[Number]:
    bars = pd.read_csv(folder / case["inputs"]["data"].split()[0])
    returns = np.diff(np.log(bars["close"].to_numpy()))
    found = return_concentration(returns, zeros="gains")
    assert found.gains is not None
    assert found.losses is not None
    yield Number("hhi_pos", found.gains, case["expected"]["hhi_pos"])
    yield Number("hhi_neg", found.losses, case["expected"]["hhi_neg"])
    yield from _published({**case, "published": {k: case["published"][k] for k in ("hhi_pos", "hhi_neg")}},
                          {"hhi_pos": found.gains, "hhi_neg": found.losses})  # fmt: skip
    apart = return_concentration(returns).gains
    assert apart is not None
    yield Number("hhi_pos", apart, case["expected"]["hhi_pos"], None, "by default a return of zero is not a gain")
    with pytest.raises(ValueError, match="both signs"):
        herfindahl_index(returns)


def _unit_root(case: dict, folder: Path) -> Iterator[Number]:
    given, expected = case["inputs"], case["expected"]
    series = np.loadtxt(folder / given["series"])
    for name, theirs in expected.items():
        if name.startswith("kpss"):
            around = "ct" if given["regression"] == "ct" else "c"
            yield Number(name, kpss(series, regression=around, lags=10).statistic, theirs["stat"])
            continue
        lags = "aic" if name.endswith("AIC") else int(re.search(r"lag_?(\d+)", name)[1])
        ours = adf(series, regression=given["regression"], lags=lags)
        if isinstance(theirs, float):
            yield Number(name, ours.statistic, theirs)
            continue
        yield Number(f"{name} stat", ours.statistic, theirs["stat"])
        yield Number(f"{name} p", ours.p_value, theirs["p"])
        if "usedlag" in theirs:
            yield Number(f"{name} lags", ours.lags, theirs["usedlag"], 0.0)
            yield Number(f"{name} rows", ours.n_obs, theirs["nobs"], 0.0)


def _chow(case: dict, folder: Path) -> Iterator[Number]:
    y, x = np.loadtxt(folder / case["inputs"]["csv"], delimiter=",").T
    found = chow_test(y, x, case["inputs"]["break_after_row"])
    expected = case["expected"]
    yield Number("F", found.statistic, expected["F"])
    yield Number("p", found.p_value, expected["p"])
    for name, own, theirs in zip("Fp", (found.statistic, found.p_value), expected["R_strucchange"], strict=True):
        yield Number(f"strucchange {name}", own, theirs, 1e-8)


def _drift(case: dict, folder: Path) -> Iterator[Number]:
    reference, current = (np.loadtxt(folder / case["inputs"][name]) for name in ("ref", "cur"))
    test = kolmogorov_smirnov(reference, current)
    ours = {
        "ks": test.statistic,
        "ks_p_asymp": test.p_value,
        "psi_ref_deciles_eps1e_4": population_stability_index(reference, current),
        "psi_equal_width10_eps1e_4": population_stability_index(reference, current, bins="width"),
        "wasserstein": wasserstein_distance(reference, current),
        "mannwhitney_p": mann_whitney(reference, current).p_value,
        "mean_shift_in_ref_sd": mean_shift(reference, current),
    }
    expected = case["expected"]
    yield from (Number(name, own, expected[name]) for name, own in ours.items() if name in expected)
    if "ks_p_auto" in expected:
        yield Number("ks_p_auto", test.p_value, expected["ks_p_auto"], None, "theirs is exact, ours asymptotic")


def _superiority(case: dict, folder: Path) -> Iterator[Number]:
    saved = np.load(folder / case["inputs"]["npz"])
    length = 1 / case["inputs"]["stationary_q"]
    gains, benchmark = -saved["models"], -saved["bench"]  # losses, turned over
    white = reality_check(gains, benchmark, block_length=length, rows=saved["boot_index"])
    hansen = spa(gains, benchmark, block_length=length, rows=saved["boot_index"])
    expected = case["expected"]
    yield Number("white stat", white.statistic, expected["white_rc"]["stat"])
    yield Number("white p", white.p_value, expected["white_rc"]["p_strict"])
    yield Number("hansen stat", hansen.statistic, expected["hansen_exact"]["stat"])
    for kind, theirs in expected["hansen_exact"]["p"].items():
        yield Number(f"hansen p {kind}", getattr(hansen, f"p_{kind}"), theirs)
    for i, theirs in enumerate(expected["hansen_exact"]["omega_first3"]):
        yield Number(f"hansen omega[{i}]", float(hansen.deviations[i]), theirs)
    ignored = "arch 8.0.0 computes its p-values without studentising, whatever its argument says"
    arch = expected["arch_studentize_True"]
    drawn = reality_check(gains, benchmark, block_length=length)
    yield Number("arch upper, as a reality check", drawn.p_value, arch["upper"], case["tol_arch"])
    yield Number("arch consistent", hansen.p_consistent, arch["consistent"], None, ignored)


KINDS = (
    ({"returns_csv", "n_trials"}, _real_series),
    ({"returns", "rf_per_period"}, _sharpe),
    ({"var_sr_annual", "N"}, _deflated),
    ({"sr_std", "N"}, _deflated),
    ({"sr", "T", "benchmark"}, _probabilistic),
    ({"sr_annual", "prob"}, _track_record),
    ({"sr", "alpha"}, _track_record),
    ({"sr_is_annual"}, _backtest_length),
    ({"returns_csv_gz", "S"}, _overfitting),
    ({"series", "regression"}, _unit_root),
    ({"break_after_row"}, _chow),
    ({"ref", "cur"}, _drift),
    ({"npz", "stationary_q"}, _superiority),
    ({"data"}, _concentration),
    ({"N"}, _expected_maximum),
)


@pytest.mark.skipif(not os.environ.get("FARM_TRUTH"), reason="FARM_TRUTH is not set")
@pytest.mark.parametrize("case_id", case_ids())
def test_every_number_of_the_case_is_within_its_tolerance(case_id):
    found = results_of(case_id)
    assert found
    for row in found:
        if not row.note:
            assert row.difference <= row.tolerance, row


@pytest.mark.skipif(not os.environ.get("FARM_TRUTH"), reason="FARM_TRUTH is not set")
def test_all_cases_about_returns_are_answered():
    kinds = {"01": 15, "02": 6, "07": 1, "08": 7, "09": 2}
    assert len(case_ids()) >= sum(kinds.values())


@pytest.mark.skipif(not os.environ.get("FARM_TRUTH"), reason="FARM_TRUTH is not set")
def test_rs_line_is_ours_with_the_variables_exchanged():
    # What the R package calls slope is the intercept of in sample on out of sample, to the five digits it prints.
    folder = Path(os.environ["FARM_TRUTH"])
    for case in _cases(folder):
        if "R_pbo" not in case["expected"] or case["inputs"]["T"] % case["inputs"]["S"]:
            continue
        returns = np.loadtxt(folder / case["inputs"]["returns_csv_gz"], delimiter=",")
        found = probability_of_backtest_overfitting(returns, case["inputs"]["S"])
        slope, intercept = np.polyfit(found.out_of_sample, found.in_sample, 1)
        assert intercept == pytest.approx(case["expected"]["R_pbo"]["field_named_slope"], rel=1e-4)
        assert slope == pytest.approx(case["expected"]["R_pbo"]["field_named_intercept"], rel=1e-4)
