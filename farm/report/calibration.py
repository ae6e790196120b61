"""The charts of predictions: whether probabilities keep their word, and how each model ranks on each split."""

from collections.abc import Mapping, Sequence
from typing import Any

from farm.report.entries import Entry
from farm.report.figure import INK, MUTED, SERIES, Figure, choose, label, title
from farm.report.plots import MOST_INTERVALS
from farm.report.predictions import SIDES, Scored, Side
from farm.report.read import Json

_LEAST_SPREAD = 0.03  # of the AUC around one half: below it a map of pure luck would blaze with colour
_MOST_PRINTED = 15  # splits with their value printed in the cell; more and nobody could read it
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")


def reliability_figure(candidates: Sequence[Entry], scored: Mapping[str, Scored]) -> Figure | None:
    """Observed against predicted probability of the candidates nearest to passing; None: nothing was predicted."""
    shown = [entry for entry in candidates if entry.trial in scored][: len(SERIES)]
    if not shown:
        return None
    ends = _by_side({side: _ends([scored[entry.trial] for entry in shown], side) for side in SIDES})
    data: list[dict[str, Any]] = [
        {
            "type": "scatter", "mode": "lines", "name": "keeps its word", "x": ends, "y": ends, "hoverinfo": "skip",
            "line": {"color": MUTED, "width": 1.5, "dash": "dot"},
        }
    ]  # fmt: skip
    for at, entry in enumerate(shown):
        own = scored[entry.trial].reliability
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": label(entry.trial),
                "x": _by_side({side: _percent(own[side].predicted) for side in SIDES}),
                "y": _by_side({side: _percent(own[side].observed) for side in SIDES}),
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": _by_side({side: _percent(own[side].high - own[side].observed) for side in SIDES}),
                    "arrayminus": _by_side({side: _percent(own[side].observed - own[side].low) for side in SIDES}),
                    "thickness": 1,
                    "width": 0,
                    "color": f"{SERIES[at]}/0.6",
                },
                "customdata": _by_side({side: own[side].events.tolist() for side in SIDES}),
                "line": {"color": SERIES[at], "width": 2},
                "marker": {"size": 7, "symbol": _SYMBOLS[at]},
                "hovertemplate": "called %{x:.1f}%, came true %{y:.1f}% of %{customdata:,} events",
            }
        )
    axis = {"ticksuffix": "%", "zeroline": False}
    layout = {
        "xaxis": {**axis, "title": title("probability called, mean over splits")},
        "yaxis": {**axis, "title": title("came true")},
        "hovermode": "closest",
    }
    return Figure(data, layout, height=420)


def splits_figure(study: Json, entries: Sequence[Entry], scored: Mapping[str, Scored]) -> Figure | None:
    """The AUC of every model on every split, one half being luck; None: nothing was predicted."""
    shown = [entry for entry in entries if entry.trial in scored and entry.role != "sentinel"][:MOST_INTERVALS]
    if not shown:
        return None
    splits = sorted({split for entry in shown for split in scored[entry.trial].auc})
    held_out = [", ".join(map(str, study["splits"][split]["held_out"])) for split in splits]
    values = [[_rounded(scored[entry.trial].auc.get(split)) for split in splits] for entry in shown]
    spread = max([abs(one - 0.5) for row in values for one in row if one is not None] + [_LEAST_SPREAD])
    columns = list(range(len(splits)))
    data = [
        {
            "type": "heatmap",
            "x": columns,
            "y": list(range(len(shown))),
            "z": values,
            "zmin": 0.5 - spread,
            "zmax": 0.5 + spread,
            "xgap": 2,
            "ygap": 2,
            "colorscale": [[0, "var(--s2)"], [0.5, "var(--card)"], [1, "var(--s1)"]],
            "colorbar": {"thickness": 10, "outlinewidth": 0, "title": {"text": "AUC", "side": "right"}},
            "texttemplate": "%{z:.2f}" if len(splits) <= _MOST_PRINTED else "",
            "hovertext": [
                [f"{label(entry.trial)}, split holding out {groups}" for groups in held_out] for entry in shown
            ],
            "hovertemplate": "%{hovertext}: AUC %{z:.3f}<extra></extra>",
        }
    ]
    layout = {
        "xaxis": {
            "title": title("split: groups held out"), "showgrid": False, "tickvals": columns, "ticktext": held_out,
        },
        "yaxis": {
            "tickvals": list(range(len(shown))), "ticktext": [label(entry.trial) for entry in shown],
            "autorange": "reversed", "showgrid": False,
        },
        "font": {"color": INK},
        "hovermode": "closest",
    }  # fmt: skip
    return Figure(data, layout, height=130 + 32 * len(shown))


def _by_side(values: dict[Any, list[Any]]) -> dict[str, Any]:
    return choose("side", {"down": values["down"]}, values["up"])


def _percent(values: Any) -> list[float]:
    return (100 * values).round(3).tolist()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _ends(shown: Sequence[Scored], side: Side) -> list[float]:
    """Where the diagonal begins and ends: as far as any model's calls go, in percent."""
    calls = [100 * one.reliability[side].predicted for one in shown]
    return [round(float(min(call.min() for call in calls)), 3), round(float(max(call.max() for call in calls)), 3)]
