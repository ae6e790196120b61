"""What a run would do, without doing it."""

import math
import os
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from farm.bars import SyntheticBars, instrument_for
from farm.config import Experiment
from farm.errors import BadInput, Failed
from farm.evidence import LEAST_TRIALS
from farm.fit import fit
from farm.ledger import Trial, told
from farm.models import Catalog, Model, installed
from farm.panel import Panel
from farm.run.beforehand import check_before_work
from farm.run.panels import build_panels, panels_by_model
from farm.run.plan import StudyPlan, plan_study
from farm.run.pool import built_pool
from farm.run.prepare import PreparedStudy, describe, stored_study
from farm.run.trials import by_symbol, earlier_trials
from farm.stats import certifiable_sharpe
from farm.store import Store

_LONG_SECONDS = 5.0
_TIMED_STUDIES = 3
_BUILT_KINDS = 24
_IN_PROPORTION = ("events", "sessions", "smallest_train")


def forecast(experiment: Experiment) -> dict[str, Any]:
    """Fits, trials, memory, time and certifiable Sharpe of every study; nothing is written.

    The Sharpe ratio is what the study's candidates leave to certify together with those that the ledger has of earlier
    experiments on the same span, all of them taken for independent: the verdict counts how many they are worth.

    A study whose panel is stored is measured on it. Of the others one of every kind is built here, as far as these are
    not too many; the rest are estimated in proportion to their files, as ``estimated`` says.
    Each model is timed on a few of these; on the others its time is that of the timed one nearest in size.

    Raises
    ------
    BadInput, Failed
        As a run would end that is given these studies, as far as they are measured.
    """
    catalog = installed()
    check_before_work(experiment, catalog)
    if experiment.pool is not None:
        return _of_pool(experiment, catalog)
    symbols = experiment.bars.symbols
    store = Store(experiment.where)
    own = {symbol: experiment.of(symbol) for symbol in symbols}
    stored = {symbol: study for symbol in symbols if (study := stored_study(own[symbol], symbol)) is not None}
    kinds = {symbol: _kind(own[symbol], symbol) for symbol in symbols}
    built = _built(own, _to_build(kinds, set(stored)), catalog)
    prepared = {**stored, **{symbol: study for symbol, (study, _) in built.items()}}
    planned = {symbol: plan_study(experiment, study, catalog) for symbol, study in prepared.items()}
    times = _Times()
    for symbol in (*built, *stored)[:_TIMED_STUDIES]:
        recipes = own[symbol].recipes(catalog)
        panels = built[symbol][1] if symbol in built else panels_by_model(store, stored[symbol].panels, recipes)
        times.add(own[symbol], planned[symbol], panels, catalog)
    tried = by_symbol(told(experiment.where).trials)
    measured = {symbol: _study(experiment, study, times, tried) for symbol, study in planned.items()}
    sizes = {symbol: _size(own[symbol], symbol) for symbol in symbols}
    studies = [
        measured[symbol]
        if symbol in measured
        else _estimated(
            experiment, symbol, measured[_like(symbol, measured, kinds, sizes)], sizes, times, tried.get(symbol, ())
        )
        for symbol in symbols
    ]
    chunks = [chunk for symbol in stored for chunk in planned[symbol].chunks]
    have = store.have("fits", [chunk.key for chunk in chunks])
    return _summed(experiment, studies, sum(chunk.n_fits for chunk in chunks if chunk.key in have))


def _of_pool(experiment: Experiment, catalog: Catalog) -> dict[str, Any]:
    """The forecast of a pool's one study, measured on all its symbols."""
    prepared, panel = built_pool(experiment)
    planned, times = plan_study(experiment, prepared, catalog), _Times()
    times.add(experiment, planned, dict.fromkeys(experiment.all_models(), panel), catalog)
    have = Store(experiment.where).have("fits", [chunk.key for chunk in planned.chunks])
    stored = sum(chunk.n_fits for chunk in planned.chunks if chunk.key in have)
    return _summed(experiment, [_study(experiment, planned, times, by_symbol(told(experiment.where).trials))], stored)


def _summed(experiment: Experiment, studies: Sequence[dict[str, Any]], stored: int) -> dict[str, Any]:
    execution = experiment.execution
    workers = 1 if execution.on == "process" else execution.workers or os.cpu_count() or 1
    fits = sum(study["fits"] for study in studies)
    seconds = sum(study["fit_seconds"] for study in studies)
    return {
        "experiment": experiment.name,
        "fits": fits,
        "stored": stored,
        "trials": sum(study["trials"] for study in studies),
        "estimated_studies": sum(study["estimated"] for study in studies),
        "workers": workers,
        "fit_seconds": seconds,
        "wall_seconds": seconds / workers * (1 - stored / fits),
        "memory_mib": max(study["panel_mib"] for study in studies) * (1 + 2 * workers),
        "studies": list(studies),
        "warnings": [f"{_named(about)}: {said}" for said, about in _warnings(experiment, studies).items()],
    }


def _warnings(experiment: Experiment, studies: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """What to expect of which studies."""
    limit = experiment.verdict.max_certifiable_sharpe
    warnings: dict[str, list[str]] = {}
    for study in studies:
        if study["budget"] is not None:
            warnings.setdefault(study["budget"], []).append(study["symbol"])
    for study in studies:
        sharpe = study["certifiable_sharpe"]
        if sharpe is None or sharpe > limit:
            said = (
                f"this span and number of trials can certify {_smallest(sharpe)}; above {limit:g} the verdict will be "
                "INSUFFICIENT"
            )
            warnings.setdefault(said, []).append(study["symbol"])
    return warnings


def _named(symbols: Sequence[str]) -> str:
    return symbols[0] if len(symbols) == 1 else f"{symbols[0]} and {len(symbols) - 1} more"


_Kind = tuple[str, ...]
"""Instrument, timeframe of the bars and of the decisions: studies of one kind are alike but for their length."""


def _kind(own: Experiment, symbol: str) -> _Kind:
    chosen = None if isinstance(own.bars, SyntheticBars) else own.bars.instruments
    return instrument_for(symbol, chosen).name, own.bars.timeframe, own.decisions.timeframe


def _to_build(kinds: dict[str, _Kind], stored: set[str]) -> list[str]:
    """Symbols whose panels are built for the forecast: one of every kind, and with the stored ones a few to time."""
    seen = {kinds[symbol] for symbol in stored}
    first: list[str] = []
    more: list[str] = []
    for symbol, kind in kinds.items():
        if symbol not in stored:
            (more if kind in seen else first).append(symbol)
            seen.add(kind)
    return [*first, *more][: max(_TIMED_STUDIES - len(stored), min(len(first), _BUILT_KINDS))]


def _size(own: Experiment, symbol: str) -> float | None:
    """What a study's bars are in proportion to: the bytes of its local file; None where that tells nothing."""
    bars = own.bars
    if isinstance(bars, SyntheticBars) or "://" in bars.file(symbol):
        return None
    file = Path(bars.file(symbol))
    if not file.is_file():
        bars.read(symbol)  # which says what is missing
    return float(file.stat().st_size) if bars.symbol_column is None else None


def _built(
    own: Mapping[str, Experiment], symbols: Sequence[str], catalog: Catalog
) -> dict[str, tuple[PreparedStudy, dict[str, Panel]]]:
    """Studies, made here and not stored; of the first few, which are timed, also their models' panels."""
    built: dict[str, tuple[PreparedStudy, dict[str, Panel]]] = {}
    for symbol in symbols:
        loaded = own[symbol].bars.read(symbol)
        panels = build_panels(own[symbol], loaded, catalog)
        by_model = {name: one.panel for one in panels.values() for name in one.models}
        built[symbol] = describe(own[symbol], loaded, panels), by_model if len(built) < _TIMED_STUDIES else {}
    return built


class _Times:
    """Seconds that one fit of every model takes, by the number of events, of the studies that were timed."""

    def __init__(self) -> None:
        self._seconds: dict[int, float] = {}

    def add(self, experiment: Experiment, study: StudyPlan, panels: dict[str, Panel], catalog: Catalog) -> None:
        """Time a study, unless one of its size was."""
        n_events = study.prepared.n_events
        if n_events not in self._seconds:
            self._seconds[n_events] = sum(
                _seconds_a_fit(experiment, study, panels[name], model, catalog)
                for name, model in experiment.all_models().items()
            )

    def of(self, n_events: int) -> float:
        """Seconds on so many events, in proportion to the timed number nearest to it."""
        nearest = min(self._seconds, key=lambda timed: abs(timed - n_events))
        return self._seconds[nearest] * n_events / nearest


def _like(symbol: str, measured: Collection[str], kinds: dict[str, _Kind], sizes: dict[str, float | None]) -> str:
    """The measured study that a symbol's is taken to be like: of its kind rather, then nearest in size."""

    def distance(other: str) -> tuple[bool, float]:
        size, found = sizes[symbol], sizes[other]
        return kinds[other] != kinds[symbol], abs(math.log(size / found)) if size and found else 0.0

    return min(measured, key=distance)


def _estimated(
    experiment: Experiment,
    symbol: str,
    like: dict[str, Any],
    sizes: dict[str, float | None],
    times: _Times,
    tried: Sequence[Trial],
) -> dict[str, Any]:
    """A study in proportion to one that was measured; its span is unknown, so all trials on the symbol count."""
    size, found = sizes[symbol], sizes[like["symbol"]]
    share = size / found if size and found else 1.0
    study = {**like, "symbol": symbol, "estimated": True}
    study |= {name: max(2, round(study[name] * share)) for name in _IN_PROPORTION}
    limit, budget = experiment.of(symbol).decisions.limit, None
    if study["events"] > limit:
        budget = f"about {study['events']:,} decisions may be more than decisions.limit = {limit}, and stop the run"
    earlier = len({trial.identity for trial in tried if trial.role == "candidate"})
    return study | {
        "earlier": earlier,
        "panel_mib": study["panel_mib"] * share,
        "fit_seconds": times.of(study["events"]) * study["splits"],
        "budget": budget,
        "certifiable_sharpe": _certifiable(
            experiment, study["sessions"], study["sessions_per_year"], study["candidates"] + earlier
        ),
    }


def _smallest(sharpe: float | None) -> str:
    return "no Sharpe ratio at all" if sharpe is None else f"only an annual Sharpe ratio of {sharpe:.1f} or more"


def _study(
    experiment: Experiment, study: StudyPlan, times: _Times, tried: Mapping[str, Sequence[Trial]]
) -> dict[str, Any]:
    prepared = study.prepared
    candidates = sum(trial.role == "candidate" for trial in study.trials)
    earlier = len(earlier_trials(study, tried))
    return {
        "symbol": prepared.symbol,
        "estimated": False,
        "events": prepared.n_events,
        "features": prepared.n_features,
        "sessions": prepared.sessions,
        "sessions_per_year": prepared.sessions_per_year,
        "splits": len(prepared.plan.splits),
        "fits": sum(chunk.n_fits for chunk in study.chunks),
        "chunks": len(study.chunks),
        "trials": len(study.trials),
        "candidates": candidates,
        "earlier": earlier,
        "panel_mib": prepared.n_bytes / 2**20,
        "fit_seconds": times.of(prepared.n_events) * len(prepared.plan.splits),
        "budget": prepared.about["budget"]["warning"],
        "smallest_train": int(np.min([split["n_train"] for split in prepared.about["splits"]])),
        "certifiable_sharpe": _certifiable(
            experiment, prepared.sessions, prepared.sessions_per_year, candidates + earlier
        ),
    }


def _certifiable(experiment: Experiment, sessions: int, sessions_per_year: float, candidates: int) -> float | None:
    rules, trials = experiment.verdict, max(candidates, LEAST_TRIALS)
    return certifiable_sharpe(sessions, sessions_per_year, trials, rules.alpha / experiment.n_studies, rules.power)


def _seconds_a_fit(experiment: Experiment, study: StudyPlan, panel: Panel, model: Model, catalog: Catalog) -> float:
    def once() -> float:
        started = time.perf_counter()
        try:
            fit(
                panel, study.prepared.plan, model, catalog, 0,
                seed=0, threads=experiment.threads, keep=(model.features or experiment.features).keep,
                selection=experiment.selection,
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
