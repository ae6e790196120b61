"""What a reader should know of a judged study, in JSON-able values: its trials, its search, its parts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from farm.backtest import Backtest, Regimes, by_regime, cost_ladder, metrics
from farm.config import Experiment
from farm.labels import CLASSES, Events
from farm.models import Model
from farm.panel import Panel
from farm.pool import PooledPanel
from farm.pooled_study import parts_of
from farm.run.plan import Searched
from farm.search import RECIPES
from farm.stack.ablation import diversity
from farm.stack.provenance import Records
from farm.stats import selection_frequency, selection_stability
from farm.stats.difference import paired_difference
from farm.stats.discrimination import auc
from farm.study import STACK, PickedFrom, Study, StudyRecipe, Trial

_LADDER = (0.0, 0.5, 1.0, 2.0)


def describe_trial(
    trial: Trial, panel: Panel, regimes: Regimes | None, sessions_per_year: float, seed: int
) -> dict[str, Any]:
    """A trial's scores, its headline's metrics at other costs, a bar later and by regime, and its paths' band.

    A pool has no regimes, for its symbols have each their own; what each of them earned stands there instead.
    """
    headline = trial.headline
    sharpes = [metrics(path, sessions_per_year).sharpe for path in trial.paths]
    return {
        "role": trial.role,
        "scores": _scores(trial, panel.events),
        "metrics": asdict(metrics(headline, sessions_per_year)),
        "cost_ladder": [asdict(rung) for rung in cost_ladder(headline, sessions_per_year, _LADDER)],
        "one_bar_later": asdict(metrics(trial.late, sessions_per_year)),
        "by_regime": []
        if regimes is None
        else [asdict(row) for row in by_regime(headline, regimes, sessions_per_year, seed)],
        **({"by_symbol": _by_symbol(headline, panel, sessions_per_year)} if isinstance(panel, PooledPanel) else {}),
        "path_sharpes": sharpes,
        "orders": asdict(headline.counts),
        "span": _span(headline),
    }


def _by_symbol(headline: Backtest, pool: PooledPanel, sessions_per_year: float) -> list[dict[str, Any]]:
    """What each symbol of a pool earned, in its own account."""
    found = []
    for one, part in zip(pool.members, parts_of(headline), strict=True):
        own = metrics(part, sessions_per_year)
        found.append({"symbol": one.symbol, "sharpe": own.sharpe, "net_return": own.net_return, "trades": own.trades})
    return found


def _span(headline: Backtest) -> list[str]:
    first, last = headline.sessions[[0, -1]].astype("datetime64[D]")
    return [str(first), str(last)]


def _scores(trial: Trial, events: Events) -> dict[str, float | None]:
    """Scores of the mean out-of-fold prediction on labelled rows that have one; AUC is up against down."""
    mean = trial.probability
    if mean is None:
        return {}
    rows = events.labelled & ~np.isnan(mean).any(axis=1)
    label, probability = events.label[rows], mean[rows]
    probability = np.clip(probability, 1e-6, None)
    probability = probability / probability.sum(axis=1, keepdims=True)
    touched = label != 0
    lean = probability[touched, 2] - probability[touched, 0]
    return {
        "log_loss": float(-np.log(probability[np.arange(len(label)), np.searchsorted(CLASSES, label)]).mean()),
        "auc": auc(lean, label[touched] > 0),
        "accuracy": float(np.mean(np.array(CLASSES)[probability.argmax(axis=1)] == label)),
    }


def describe_search(
    experiment: Experiment,
    searched: Searched,
    picked: PickedFrom | None,
    failed: Sequence[str],
    sessions_per_year: float,
) -> dict[str, Any]:
    """What a reader should know of a search: every configuration with what became of it, and each group's choice."""
    search, described = experiment.search, []
    for name, configuration in searched.models.items():
        there = picked is not None and name in picked.headline
        aside = searched.aside.get(name, "a fit failed" if name in failed else None)
        described.append(
            {
                "trial": name,
                "params": configuration.model_dump(mode="json")["params"],
                "recipes": _differing(configuration, experiment),
                "aside": aside,
                "loss": picked.loss[name] if picked is not None and there else None,
                "sharpe": metrics(picked.headline[name], sessions_per_year).sharpe
                if picked is not None and there
                else None,
                "chosen_by": [] if picked is None else [at for at, one in enumerate(picked.chosen) if one == name],
            }
        )
    return {
        "sampler": None if search is None else search.sampler.kind,
        "objective": None if search is None else search.objective,
        "nested": None if search is None else search.nested,
        "looked_at_every_group": search is not None and search.adapts and search.nested == "pairs",
        "made": len(searched.models),
        "complete": sum(one["aside"] is None for one in described),
        "configurations": described,
    }


def _differing(configuration: Model, experiment: Experiment) -> dict[str, Any]:
    """What a configuration reads and learns other than the rest of its study, such as ``labels.max_bars``."""
    found: dict[str, Any] = {}
    for recipe in RECIPES:
        own, usual = getattr(configuration, recipe), getattr(experiment, recipe).model_dump(mode="json")
        values = {} if own is None else own.model_dump(mode="json")
        found |= {f"{recipe}.{key}": value for key, value in values.items() if usual.get(key) != value}
    return found


def describe_selection(features: Mapping[str, Sequence[str]], records: Records) -> dict[str, dict[str, Any]]:
    """How alike the features are that the fits of each model kept, of those it could have, and how often each was.

    ``remarks`` is what a model says of its fits, such as that it learned from a part of the rows, with how many say so.
    """
    described = {}
    for model, names in features.items():
        if model not in records:
            continue
        own = [record for _, record in sorted(records[model].items())]
        kept = [record.kept for record in own]
        stability = selection_stability([[name in one for name in names] for one in kept])
        described[model] = {
            "stability": stability.value,
            "low": stability.low,
            "high": stability.high,
            "frequency": selection_frequency(kept, names),
            "remarks": dict(Counter(record.remark for record in own if record.remark)),
        }
    return described


def describe_ablation(
    recipe: StudyRecipe, study: Study, sessions_per_year: float, events: Events, seed: int
) -> dict[str, Any] | None:
    """What the stack earns more than each base and each variant of itself, paired, and how alike its bases err."""
    net = {trial.name: trial.headline.net for trial in study.trials}
    if recipe.stack is None or not recipe.stack.ablation or STACK not in net:
        return None
    kinds = dict.fromkeys(recipe.bases(), "base") | {one.name: one.kind for one in recipe.variants()}
    return {
        "less": [
            {"trial": name, "kind": kind, **asdict(paired_difference(net[name], net[STACK], sessions_per_year, seed))}
            for name, kind in kinds.items()
        ],
        "pairs": [asdict(pair) for pair in diversity(recipe.bases(), study.lattice, events)],
    }
