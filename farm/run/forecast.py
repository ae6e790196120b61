"""What a run would do, without doing it."""

import os
import time
from typing import Any

import numpy as np

from farm.config import Experiment
from farm.fit import fit
from farm.models import Catalog, Model, installed
from farm.panel import Panel
from farm.run.driver import check_before_work
from farm.run.plan import StudyPlan, plan_study
from farm.run.prepare import describe, panel_key
from farm.stats import certifiable_sharpe
from farm.store import Store

_LONG_SECONDS = 5.0


def forecast(experiment: Experiment) -> dict[str, Any]:
    """Fits, trials, memory, time and certifiable Sharpe of every study; each model is timed, nothing is written."""
    catalog = installed()
    check_before_work(experiment, catalog)
    studies, stored = [], 0
    store = Store(experiment.where)
    for symbol in experiment.bars.symbols:
        loaded = experiment.bars.read(symbol)
        panel = experiment.panel.build(loaded.bars, loaded.instrument.calendar)
        study = plan_study(experiment, describe(experiment, loaded, panel, panel_key(experiment, loaded)), catalog)
        have = store.have("fits", [chunk.key for chunk in study.chunks])
        stored += sum(len(chunk.splits) for chunk in study.chunks if chunk.key in have)
        studies.append(_study(experiment, study, panel, catalog))
    execution = experiment.execution
    workers = 1 if execution.on == "process" else execution.workers or os.cpu_count() or 1
    fits = sum(study["fits"] for study in studies)
    seconds = sum(study["fit_seconds"] for study in studies)
    limit = experiment.verdict.max_certifiable_sharpe
    return {
        "experiment": experiment.name,
        "fits": fits,
        "stored": stored,
        "workers": workers,
        "fit_seconds": seconds,
        "wall_seconds": seconds / workers * (1 - stored / fits),
        "memory_mib": max(study["panel_mib"] for study in studies) * (1 + 2 * workers),
        "studies": studies,
        "warnings": [
            f"{study['symbol']}: this span and number of trials can certify {_smallest(study['certifiable_sharpe'])}; "
            f"above {limit:g} the verdict will be INSUFFICIENT"
            for study in studies
            if study["certifiable_sharpe"] is None or study["certifiable_sharpe"] > limit
        ],
    }


def _smallest(sharpe: float | None) -> str:
    return "no Sharpe ratio at all" if sharpe is None else f"only an annual Sharpe ratio of {sharpe:.1f} or more"


def _study(experiment: Experiment, study: StudyPlan, panel: Panel, catalog: Catalog) -> dict[str, Any]:
    prepared = study.prepared
    candidates = [trial for trial in study.trials if trial.role == "candidate"]
    seconds = sum(
        _seconds_a_fit(experiment, study, panel, model, catalog) for model in experiment.all_models().values()
    )
    alpha = experiment.verdict.alpha / len(experiment.bars.symbols)
    return {
        "symbol": prepared.symbol,
        "events": prepared.n_events,
        "features": prepared.n_features,
        "sessions": prepared.sessions,
        "fits": sum(len(chunk.splits) for chunk in study.chunks),
        "chunks": len(study.chunks),
        "trials": len(study.trials),
        "candidates": len(candidates),
        "panel_mib": prepared.n_bytes / 2**20,
        "fit_seconds": seconds * len(prepared.plan.splits),
        "smallest_train": int(np.min([split["n_train"] for split in prepared.about["splits"]])),
        "certifiable_sharpe": certifiable_sharpe(
            prepared.sessions, prepared.sessions_per_year, len(candidates), alpha, experiment.verdict.power
        ),
    }


def _seconds_a_fit(experiment: Experiment, study: StudyPlan, panel: Panel, model: Model, catalog: Catalog) -> float:
    def once() -> float:
        started = time.perf_counter()
        fit(
            panel, study.prepared.plan, model, catalog, 0,
            seed=0, threads=experiment.threads, keep=experiment.features.keep,
        )  # fmt: skip
        return time.perf_counter() - started

    first = once()
    # The first fit of a process also imports libraries and compiles; where that may be most of it, a second one counts.
    return first if first > _LONG_SECONDS else min(first, once())
