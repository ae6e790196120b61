"""A chart as the page draws it: plain traces and a layout, with marks that the page resolves.

Colours are names of the page's style sheet (``var(--s1)``, or ``var(--s1)/0.2`` with an opacity), so that charts follow
light and dark. ``{"array": name}`` stands for one of the study's shared arrays, ``{"choose": control, value: …}`` for
what a control of the chart is set to (``else`` for any other value).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

PASS, FAIL, OPEN = "var(--pass)", "var(--fail)", "var(--open)"
INK, MUTED, FAINT, ON = "var(--ink)", "var(--muted)", "var(--faint)", "var(--on-series)"
STANDING_COLOUR = {"PASS": PASS, "FAIL": FAIL, "INSUFFICIENT": OPEN}
STANDING_SYMBOL = {"PASS": "circle", "FAIL": "x", "INSUFFICIENT": "diamond-open"}
SERIES = tuple(f"var(--s{at})" for at in range(1, 7))
DASHES = ("solid", "dash", "dot", "dashdot")

_LONGEST_LABEL = 28


@dataclass(frozen=True)
class Figure:
    """One chart. ``narrow`` replaces parts of the layout on a phone; ``frame_by`` names the axis that follows the data
    of the traces marked ``"meta": "frame"``, when the control ``frame`` is set to ``candidates``."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]
    height: int
    narrow: dict[str, Any] = field(default_factory=dict)
    frame_by: str | None = None


def label(name: str) -> str:
    """A name as chart text: no markup in it, cut when it is long.

    >>> label("<b>x</b>"), label("a" * 40)
    ('&lt;b&gt;x&lt;/b&gt;', 'aaaaaaaaaaaaaaaaaaaaaaaaaaa…')
    """
    short = name if len(name) <= _LONGEST_LABEL else f"{name[: _LONGEST_LABEL - 1]}…"
    return escape(short, quote=False)


def choose(control: str, values: Mapping[str, Any], otherwise: Any = None) -> dict[str, Any]:
    """What a control decides; ``otherwise`` for values not named."""
    return {"choose": control, **values, "else": otherwise}


def title(text: str) -> dict[str, Any]:
    """An axis title."""
    return {"text": text, "standoff": 8}
