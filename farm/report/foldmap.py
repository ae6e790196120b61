"""The map of folds: what each split trains on, what it leaves out around its test groups, and what it tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from farm.report.figure import Figure, title
from farm.report.read import Json

MOST_SPLITS = 66
"""Splits drawn; 12 groups held out by twos make as many."""

_MS = 1_000_000  # ns
_PARTS = (
    ("train", "train", "var(--faint)"),
    ("left out", "purged or embargoed", "var(--s6)"),
    ("test", "test", "var(--s1)"),
)


@dataclass(frozen=True)
class Piece:
    """One stretch of a split, int64 ns UTC from ``start`` up to ``stop``."""

    part: str
    start: int
    stop: int


def pieces(groups: Sequence[Json], held_out: Sequence[int], kind: str, window: int = 0) -> list[Piece]:
    """What a split does with each stretch of the development span, in order of time.

    A walk forward trains on what lies before its test groups alone, on the last ``window`` groups if that is not 0.
    """
    found = []
    for at, group in enumerate(groups):
        if at in held_out:
            found.append(Piece("test", group["start"], group["stop"]))
            continue
        if kind == "walk_forward" and (at > min(held_out) or (window and at < min(held_out) - window)):
            continue
        start, stop = group["start"], group["stop"]
        if at - 1 in held_out:
            resumed = min(max(groups[at - 1]["embargo_until"], start), stop)
            found.append(Piece("left out", start, resumed))
            start = resumed
        ended = stop
        if at + 1 in held_out:
            ended = max(min(groups[at + 1]["purge_from"], stop), start)
        found.append(Piece("train", start, ended))
        found.append(Piece("left out", ended, stop))
    return [piece for piece in found if piece.stop > piece.start]


def folds_figure(study: Json, folds: Json) -> Figure:
    """One row a split, time from left to right."""
    splits = study["splits"][:MOST_SPLITS]
    kind = folds.get("kind", "cpcv")
    window = folds.get("train_groups", 0) if kind == "walk_forward" and not folds.get("expanding", True) else 0
    bars: dict[str, list[tuple[int, Piece, Json]]] = {part: [] for part, _, _ in _PARTS}
    for row, split in enumerate(splits):
        for piece in pieces(study["groups"], split["held_out"], kind, window):
            bars[piece.part].append((row, piece, split))
    data: list[dict[str, Any]] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": [row for row, _, _ in bars[part]],
            "base": [piece.start // _MS for _, piece, _ in bars[part]],
            "x": [(piece.stop - piece.start) // _MS for _, piece, _ in bars[part]],
            "marker": {"color": colour, "line": {"width": 1 if part == "left out" else 0, "color": colour}},
            "hovertext": [
                f"split {row}: {name}<br>{split['n_train']:,} events to train on" for row, _, split in bars[part]
            ],
            "hoverinfo": "text",
        }
        for part, name, colour in _PARTS
    ]
    layout = {
        "barmode": "overlay",
        "bargap": 0.25,
        "xaxis": {
            "type": "date",
            "showgrid": False,
            "range": [study["groups"][0]["start"] // _MS, study["groups"][-1]["stop"] // _MS],
        },
        "yaxis": {
            "autorange": "reversed",
            "title": title("split: groups held out"),
            "tickvals": list(range(len(splits))),
            "ticktext": [", ".join(map(str, split["held_out"])) for split in splits],
            "showgrid": False,
        },
        "hovermode": "closest",
    }
    return Figure(data, layout, height=110 + max(15, 20 - len(splits) // 12) * len(splits))
