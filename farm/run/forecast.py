"""What a run would do, without doing it."""

import os
import time
from typing import Any

import numpy as np

from farm.config import Experiment
from farm.errors import BadInput, Failed
from farm.fit import fit
from farm.models import Catalog, Model, installed
from farm.panel import Panel
from farm.run.driver import check_before_work
from farm.run.plan import FitChunk, StudyPlan, plan_study
from farm.run.prepare import PreparedStudy, describe, open_panel, panel_key, stored_study
from farm.stats import certifiable_sharpe
from farm.store import Store

_LONG_SECONDS = 5.0
_TIMED_STUDIES = 3


def forecast(experiment: Experiment) -> dict[str, Any]:
    """Fits, trials, memory, time and certifiable Sharpe of every study; nothing is written.

    Each model is timed on the first few studies; on the others its time is that of the timed one nearest in size.
    """
    catalog = installed()
    check_before_work(experiment, catalog)
    studies: list[dict[str, Any]] = []
    timed: dict[int, float] = {}
    chunks: list[FitChunk] = []
    store = Store(experiment.where)
    for symbol in experiment.bars.symbols:
        prepared, panel = _prepared(experiment, symbol, store)
        study = plan_study(experiment, prepared, catalog)
        chunks += study.chunks
        if len(timed) < _TIMED_STUDIES:
            models = experiment.all_models().values()
            timed[prepared.n_events] = sum(_seconds_a_fit(experiment, study, panel, model, catalog) for model in models)
        nearest = min(timed, key=lambda n_events: abs(n_events - prepared.n_events))
        studies.append(_study(experiment, study, timed[nearest] * prepared.n_events / nearest))
    have = store.have("fits", [chunk.key for chunk in chunks])
    stored = sum(len(chunk.splits) for chunk in chunks if chunk.key in have)
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
            *(f"{study['symbol']}: {study['budget']}" for study in studies if study["budget"] is not None),
            *(
                f"{study['symbol']}: this span and number of trials can certify "
                f"{_smallest(study['certifiable_sharpe'])}; above {limit:g} the verdict will be INSUFFICIENT"
                for study in studies
                if study["certifiable_sharpe"] is None or study["certifiable_sharpe"] > limit
            ),
        ],
    }


def _smallest(sharpe: float | None) -> str:
    return "no Sharpe ratio at all" if sharpe is None else f"only an annual Sharpe ratio of {sharpe:.1f} or more"


def _prepared(experiment: Experiment, symbol: str, store: Store) -> tuple[PreparedStudy, Panel]:
    """A study and its panel: those that are stored, else made here and not kept."""
    stored = stored_study(experiment, symbol)
    if stored is not None:
        return stored, open_panel(store, stored.panel_key)
    loaded = experiment.bars.read(symbol)
    panel = experiment.panel.build(loaded.bars, loaded.instrument.calendar, threads=experiment.threads)
    return describe(experiment, loaded, panel, panel_key(experiment, loaded)), panel


def _study(experiment: Experiment, study: StudyPlan, seconds: float) -> dict[str, Any]:
    prepared = study.prepared
    candidates = [trial for trial in study.trials if trial.role == "candidate"]
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
        "budget": prepared.about["budget"]["warning"],
        "smallest_train": int(np.min([split["n_train"] for split in prepared.about["splits"]])),
        "certifiable_sharpe": certifiable_sharpe(
            prepared.sessions, prepared.sessions_per_year, len(candidates), alpha, experiment.verdict.power
        ),
    }


def _seconds_a_fit(experiment: Experiment, study: StudyPlan, panel: Panel, model: Model, catalog: Catalog) -> float:
    def once() -> float:
        started = time.perf_counter()
        try:
            fit(
                panel, study.prepared.plan, model, catalog, 0,
                seed=0, threads=experiment.threads, keep=experiment.features.keep, selection=experiment.selection,
            )  # fmt: skip
        except BadInput:
            raise
        except Exception as error:  # a model may raise anything; a run would record it, and here it is the answer
            raise Failed(
                f"{study.symbol}: the model {model.uses} fails in a trial fit: {type(error).__name__}: {error}; "
                "in a run its fits would be recorded as failed"
            ) from error
        return time.perf_counter() - started

    first = once()
    # The first fit of a process also imports libraries and compiles; where that may be most of it, a second one counts.
    return first if first > _LONG_SECONDS else min(first, once())
