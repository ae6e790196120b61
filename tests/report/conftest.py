import json
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

DAY = 86_400 * 10**9
START = 1_577_836_800 * 10**9  # 2020-01-01

BASELINES = ("majority", "momentum_sign", "random", "buy_and_hold")


def metrics_at(multiple, net):
    return {
        "annual_return": net, "break_even_multiple": 1.5 if net > 0 else -0.5, "calmar": None, "cost": 0.02 * multiple,
        "cost_multiple": multiple, "exposure": 0.2, "gross_return": net + 0.02, "longest_under_water": 40,
        "max_drawdown": 0.08, "mean_bars_held": 8.5, "net_return": net - 0.02 * (multiple - 1), "profit_factor": 1.1,
        "sharpe": 10 * net, "sortino": 1.0, "time_under_water": 0.8, "trade_sharpe": 0.5, "trades": 310,
        "trades_per_year": 150.0, "turnover": 90.0, "win_rate": 0.52,
    }  # fmt: skip


def a_trial(name, role, net, *, n_paths=5, predicts=True):
    return {
        "trial": name,
        "role": role,
        "scores": {"log_loss": 0.93, "auc": 0.51, "accuracy": 0.46} if predicts else {},
        "metrics": metrics_at(1.0, net),
        "cost_ladder": [metrics_at(multiple, net) for multiple in (0.0, 0.5, 1.0, 2.0)],
        "path_sharpes": [10 * net + 0.1 * path for path in range(n_paths)],
        "orders": {"orders": 900, "no_bet": 580, "taken": 310, "in_position": 10, "below_lot": 0},
        "span": ["2020-01-01", "2021-01-01"],
    }


def a_candidate(name, verdict="FAIL", reasons=("its luck was not enough",), net=0.05, **evidence):
    known = {
        "sharpe": 10 * net, "sharpe_low": 10 * net - 1, "sharpe_high": 10 * net + 1, "z": 1.0, "deflated": 0.6,
        "paper_deflated_raw": 0.4, "paper_deflated_effective": 0.5,
        "required_sharpe": 1.9, "min_track_record_years": 3.0,
    }  # fmt: skip
    return {
        **a_trial(name, "candidate", net),
        "verdict": verdict,
        "reasons": list(reasons),
        "evidence": known | evidence,
    }


def unjudged(name, reasons):
    """A candidate that never made a bet: everything about it is unknown."""
    nothing = dict.fromkeys(
        ("sharpe", "sharpe_low", "sharpe_high", "z", "deflated", "paper_deflated_raw", "paper_deflated_effective",
         "required_sharpe", "min_track_record_years")
    )  # fmt: skip
    candidate = a_candidate(name, "FAIL", reasons) | {"evidence": nothing}
    blank = dict.fromkeys(
        ("sharpe", "win_rate", "profit_factor", "mean_bars_held", "break_even_multiple", "trade_sharpe")
    )
    candidate["metrics"] = candidate["metrics"] | blank | {"trades": 0}
    candidate["cost_ladder"] = [
        rung | {"sharpe": None, "break_even_multiple": None} for rung in candidate["cost_ladder"]
    ]
    candidate["path_sharpes"] = [None] * 5
    return candidate


def a_study(symbol, candidates, *, n_groups=6, baselines=BASELINES, **changes):
    edges = [START + 60 * DAY * at for at in range(n_groups + 1)]
    groups = [
        {
            "start": low,
            "stop": high,
            "last_exit": high - DAY // 2,
            "embargo_until": high + DAY,
            "purge_from": low,
            "n_events": 200,
        }
        for low, high in pairwise(edges)
    ]
    pairs = [[low, high] for low in range(n_groups) for high in range(low + 1, n_groups)]
    return {
        "symbol": symbol, "instrument": "synthetic", "currency": "USD", "span_ns": [edges[0], edges[-1]],
        "events": 200 * n_groups, "features": 86, "sessions": 400, "sessions_per_year": 365.25, "raw_trials": 12,
        "effective_trials": 4.5, "certifiable_sharpe": 2.4,
        "overfitting": {"pbo": 0.55, "probability_of_loss": 0.3, "slope": -0.4}, "faults": [],
        "p_value": 0.2, "level": 0.05,
        "candidates": candidates,
        "others": [a_trial(name, "baseline", -0.4, predicts=name != "buy_and_hold",
                           n_paths=0 if name == "buy_and_hold" else 5) for name in baselines],
        "proof": {"rows_checked": 4321, "violations": []},
        "sentinels": {
            "shifted_labels": {"p": 0.43},
            "truncation": {"rows_checked": 4321, "violations": []},
        },
        "data": {"file": "bars.parquet", "rows": 1003, "bars": 1000, "outside_session": 2,
                 "quarantined": [{"row": 17, "rule": "high 9 is under close 10"}], "extra_columns": ["note"],
                 "holes": [{"start": START + DAY, "end": START + 3 * DAY, "trading_time": 2 * DAY}],
                 "missing_time": 2 * DAY, "sessions": 400, "segments": 2, "fingerprint": "f" * 32},
        "decisions": {"sampled": 1300, "incomplete features": 90, "no next bar": 10},
        "labels": {"events": 1200, "labelled": 1190, "unlabelled": 10, "class_share": [0.45, 0.1, 0.45],
                   "touch_share": [0.45, 0.1, 0.45], "up_share": 0.5, "implied_null_share": 0.5,
                   "holding_bars": [1.0, 5.0, 9.0, 15.0, 24.0], "effective_events": 800.0, "ambiguous_share": 0.01,
                   "resolved_share": None},
        "implied_null_share": 0.5, "suspicious_features": [], "groups": groups,
        "splits": [{"held_out": pair, "n_train": 780} for pair in pairs], "bars": 1000, "segments": 2,
    } | changes  # fmt: skip


def predictions(study, trial, rng, n_events=60):
    """Out-of-fold rows of one trial: its calls come true as often as it says, on every split that tests the event."""
    n_groups = len(study["groups"])
    group = np.arange(n_events) * n_groups // n_events
    decided = study["span_ns"][0] + np.arange(n_events) * DAY
    called = rng.uniform(0.2, 0.8, n_events)
    label = np.where(rng.uniform(size=n_events) < called, 1, -1)
    held_out = [np.isin(group, split["held_out"]) for split in study["splits"]]
    split, row = np.nonzero(held_out)
    up = called[row]
    return pa.table(
        {
            "symbol": [study["symbol"]] * len(row), "decided_at": pa.array(decided[row], pa.timestamp("ns", tz="UTC")),
            "trial": [trial] * len(row), "model": [trial] * len(row), "split": pa.array(split, pa.int32()),
            "group": pa.array(group[row], pa.int32()), "label": pa.array(label[row], pa.int8()),
            "weight": np.ones(len(row)), "p_down": 1 - up, "p_flat": np.zeros(len(row)), "p_up": up,
        }
    )  # fmt: skip


def write_run(folder: Path, studies, *, name="trend", failures=(), n_sessions=400, lost=()):
    """A run's folder with these studies; ``lost`` are (symbol, trial, role) that failed to fit."""
    folder.mkdir(parents=True, exist_ok=True)
    rulings = [candidate["verdict"] for study in studies for candidate in study["candidates"]]
    verdict = next((ruling for ruling in ("PASS", "FAIL") if ruling in rulings), "INSUFFICIENT")
    summary = {
        "experiment": name, "experiment_digest": "d" * 32, "seed": 7, "alpha": 0.05, "verdict": verdict,
        "thresholds": {"alpha": 0.05, "power": 0.8, "max_certifiable_sharpe": 4.0, "min_events_per_group": 30,
                       "max_pbo": 0.5, "max_probability_of_loss": 0.1, "pbo_trials": 10, "pbo_blocks": 16},
        "passed": [], "studies": studies,
        "failed_fits": [{"symbol": f["symbol"], "trial": f["model"], "split": f["split"], "error": f["error"]}
                        for f in failures],
    }  # fmt: skip
    manifest = {
        "run_id": "20260101T000000-dddddd", "name": name, "status": "running", "experiment_digest": "d" * 32,
        "code": {"version": "0.1.0", "commit": "c0ffee" * 6, "dirty": True},
        "environment": {"python": "3.11.7", "platform": "Linux", "machine": "x86_64", "host": "node-1", "cores": 4,
                        "libraries": {"numpy": "2.4.6", "ray": None}},
        "started_at": "2026-01-01T00:00:00+00:00", "finished_at": "2026-01-01T01:30:00+00:00", "starts": 2,
        "fits": {"total": 150, "done": 100, "reused": 48, "failed": len(failures), "allowed_failures": 2},
        "efficiency": {"fit_cpu_seconds": 17.3, "fit_wall_seconds": 5.0, "cores": 4, "efficiency": 0.86},
        "executor": {"on": "ray", "address": None, "workers": 4, "ray": "2.60.0", "job_id": "01"},
        "ledger_heads": {f"{name}/{study['symbol']}": "ab" * 32 for study in studies},
        "data": {}, "failures": list(failures),
    }  # fmt: skip
    (folder / "summary.json").write_text(json.dumps(summary, allow_nan=False), encoding="utf-8")
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "experiment.yaml").write_text(
        "name: trend\nfolds: {kind: cpcv, groups: 6, test_groups: 2, embargo: 1 session, lockbox: 0.1}\n",
        encoding="utf-8",
    )
    rng = np.random.default_rng(3)
    days = [date(2020, 1, 1) + timedelta(days=at) for at in range(n_sessions)]
    trials, parts, calls = [], [], []
    for study in studies:
        for trial in (*study["candidates"], *study["others"]):
            row = {"symbol": study["symbol"], "trial": trial["trial"], "role": trial["role"]}
            trials.append(row | {"status": "finished"})
            if trial["scores"]:
                calls.append(predictions(study, trial["trial"], rng))
            for path in range(-1, len(trial["path_sharpes"])):
                gross = rng.normal(0.0002, 0.01, n_sessions)
                parts.append(
                    pa.table(
                        {
                            "symbol": [study["symbol"]] * n_sessions, "trial": [trial["trial"]] * n_sessions,
                            "path": pa.array(np.full(n_sessions, path), pa.int32()),
                            "session": pa.array(days, pa.date32()),
                            "gross": gross, "cost": np.full(n_sessions, 1e-4), "net": gross - 1e-4,
                        }
                    )
                )  # fmt: skip
    trials += [{"symbol": symbol, "trial": trial, "role": role, "status": "failed"} for symbol, trial, role in lost]
    pq.write_table(pa.concat_tables(parts), folder / "returns.parquet")
    pq.write_table(pa.concat_tables(calls), folder / "oof.parquet")
    pq.write_table(pa.Table.from_pylist(trials), folder / "trials.parquet")
    return folder


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """The builders of this file: a trial, a candidate, a study, a run's folder."""
    return SimpleNamespace(
        candidate=a_candidate,
        trial=a_trial,
        unjudged=unjudged,
        study=a_study,
        run=write_run,
        usual=usual,
        rich=rich,
        full=full,
    )


def usual(folder: Path) -> Path:
    """Two studies: a pass, a failure, a model that never bet and one that failed to fit; and one not to be judged."""
    return write_run(folder, usual_studies(), **_BROKEN)


def rich(folder: Path) -> Path:
    """The usual studies, with all that a run may tell beside."""
    return write_run(folder, [full(study) for study in usual_studies()], **_BROKEN)


def full(study):
    """The study with regimes, one bar of lateness, selection, a feature budget, and diagnostics."""
    for candidate in study["candidates"]:
        candidate["by_regime"] = by_regime()
    for trial in (*study["candidates"], *study["others"]):
        trial["one_bar_later"] = trial["metrics"] | {"sharpe": -0.77}
        trial["orders"] = trial["orders"] | {"unfilled": 2}
    return study | {
        "selection": {
            "stack": {
                "stability": 0.83,
                "low": 0.79,
                "high": 0.87,
                "frequency": {"rsi_14": 1.0, "adx_14": 0.25},
                "remarks": {"learned from 5000 of 7210 rows (max_rows)": 3},
            },
            "whole": {"stability": None, "low": None, "high": None, "frequency": {"rsi_14": 1.0, "adx_14": 1.0}},
        },
        "budget": {"candidates": 86, "kept": 50, "effective_events": 412.0, "warning": "keep fewer of them"},
        "diagnostics": diagnostics(),
    }


def diagnostics():
    unknown = dict.fromkeys(("adf", "adf_p", "kpss", "kpss_p", "break_p", "break_at", "autocorrelation"))
    tested = {
        "name": "adx_14", "reading": "slow or shifting", "adf": -9.1, "adf_p": 1e-15, "adf_bound": "", "kpss": 0.2,
        "kpss_p": 0.1, "kpss_bound": ">", "break_p": 0.0314, "break_at": "2020-05-04", "autocorrelation": 0.213,
    }  # fmt: skip
    constant = {"name": "rsi_14", "reading": "constant", "adf_bound": "", "kpss_bound": "", **unknown}
    return {
        "tested_rows": 1893, "every": 3, "features": [tested, constant],
        "embargo": {"length": "1 session", "pairs": 5612, "label_autocorrelation": 0.01, "limit": 0.1,
                    "features_above": 12},
        "regimes": {"volatility": {"low": 0.5, "high": 0.4, "unknown": 0.1}},
        "warnings": ["one feature drifts across the embargo"],
    }  # fmt: skip


def by_regime():
    low = {"regime": "volatility low", "sessions": 210, "net_return": 0.031, "sharpe": 1.25, "low": -0.4, "high": 2.9}
    high = {"regime": "volatility high", "sessions": 5, "net_return": -0.002, "sharpe": None, "low": None, "high": None}
    return [{"by": "volatility", **row} for row in (low, high)]


_BROKEN = {
    "failures": [
        {"symbol": "ALPHA", "model": "broken", "split": 4, "error": "ValueError: no luck", "trace": "Traceback: line 1"}
    ],
    "lost": [("ALPHA", "broken", "candidate")],
}


def usual_studies():
    short = "this span certifies only an annual Sharpe ratio above 6.2 (limit 4); more history would help"
    return [
        a_study(
            "ALPHA",
            [
                a_candidate("stack", "PASS", (), net=0.2, deflated=0.99),
                a_candidate(
                    "linear", "FAIL", ("the deflated Sharpe probability is 0.600", "the ranking does not last")
                ),
                unjudged("sleeper", ("no bet was ever worth its cost",)),
            ],
        ),
        a_study(
            "BETA",
            [a_candidate("stack", "INSUFFICIENT", (short, "leak: feature spy knows the future"))],
            certifiable_sharpe=None,
            overfitting={"pbo": None, "probability_of_loss": None, "slope": None},
            faults=["leak: feature spy knows the future"],
            suspicious_features=[{"name": "spy", "auc": 0.91, "z": 30.0}],
        ),
    ]
