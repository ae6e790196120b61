"""The charts of evidence: Sharpe ratios against what they must reach, costs, paths, labels."""

from collections.abc import Sequence
from typing import Any

from farm.report.entries import Entry
from farm.report.figure import (
    DASHES,
    FAINT,
    INK,
    MUTED,
    ON,
    SERIES,
    STANDING_COLOUR,
    STANDING_SYMBOL,
    Figure,
    label,
    title,
)
from farm.report.read import Json
from farm.report.wording import interval, number

MOST_INTERVALS = 40
"""More candidates than this in one interval plot cannot be read; the table lists them all."""


def sharpe_figure(candidates: Sequence[Entry], *, several_studies: bool) -> Figure:
    """Each candidate's annual Sharpe ratio with its 95% interval, and the Sharpe ratio that would have passed."""
    shown = candidates[:MOST_INTERVALS]
    rows = list(range(len(shown), 0, -1))
    names = [
        label(one.trial) + (f"<br><span style='font-size:10px'>{label(one.symbol)}</span>" if several_studies else "")
        for one in shown
    ]
    data: list[dict[str, Any]] = []
    for standing in ("PASS", "FAIL", "INSUFFICIENT"):
        own = [
            (row, one)
            for row, one in zip(rows, shown, strict=True)
            if one.standing == standing and one.sharpe is not None
        ]
        if not own:
            continue
        low_high = [(one.evidence["sharpe_low"], one.evidence["sharpe_high"]) for _, one in own]
        sharpes = [one.sharpe or 0.0 for _, one in own]
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": standing,
                "x": sharpes,
                "y": [row for row, _ in own],
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [0 if high is None else high - x for x, (_, high) in zip(sharpes, low_high, strict=True)],
                    "arrayminus": [
                        0 if low is None else x - low for x, (low, _) in zip(sharpes, low_high, strict=True)
                    ],
                    "thickness": 2,
                    "width": 0,
                    "color": STANDING_COLOUR[standing],
                },
                "marker": {"color": STANDING_COLOUR[standing], "symbol": STANDING_SYMBOL[standing], "size": 10},
                "hovertext": [
                    f"<b>{label(one.trial)}</b> on {label(one.symbol)}<br>"
                    f"Sharpe {number(one.sharpe)} ({interval(*bounds)})<br>"
                    f"required {number(one.evidence['required_sharpe'])}"
                    for (_, one), bounds in zip(own, low_high, strict=True)
                ],
                "hoverinfo": "text",
            }
        )
    required = [(row, one.evidence.get("required_sharpe")) for row, one in zip(rows, shown, strict=True)]
    known = [(row, sharpe) for row, sharpe in required if sharpe is not None]
    data.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": "required Sharpe",
            "x": [sharpe for _, sharpe in known],
            "y": [row for row, _ in known],
            "marker": {"symbol": "line-ns-open", "size": 18, "color": INK, "line": {"width": 3, "color": INK}},
            "hovertemplate": "required %{x:.2f}<extra></extra>",
        }
    )
    blank = [row for row, one in zip(rows, shown, strict=True) if one.sharpe is None]
    if blank:
        data.append(
            {
                "type": "scatter", "mode": "text", "name": "unknown", "showlegend": False, "hoverinfo": "skip",
                "x": [0] * len(blank), "y": blank, "text": ["unknown"] * len(blank), "textfont": {"color": MUTED},
                "textposition": "middle right",
            }
        )  # fmt: skip
    layout = {
        "xaxis": {"title": title("annual Sharpe ratio, net of costs"), "zeroline": True},
        "yaxis": {"tickvals": rows, "ticktext": names, "range": [0.3, len(shown) + 0.7], "showgrid": False},
        "hovermode": "closest",
    }
    return Figure(data, layout, height=130 + len(shown) * (42 if several_studies else 34))


def cost_figure(candidates: Sequence[Entry], others: Sequence[Entry]) -> Figure:
    """Sharpe ratio and net return of every trial as its costs grow."""
    data = []
    for at, entry in enumerate((*candidates, *others)):
        ladder = entry.about.get("cost_ladder", [])
        if not ladder or entry.role == "sentinel":
            continue
        own = entry.role == "candidate"
        look = (
            {"color": SERIES[at], "width": 2.5}
            if own and at < len(SERIES)
            else {
                "color": MUTED if own else FAINT,
                "width": 1,
                "dash": "solid" if own else DASHES[(at - len(candidates)) % len(DASHES)],
            }
        )
        for axis, value, scale in (("", "sharpe", 1), ("2", "net_return", 100)):
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "name": label(entry.trial),
                    "legendgroup": entry.key,
                    "showlegend": not axis and (at < len(SERIES) or not own),
                    "x": [rung["cost_multiple"] for rung in ladder],
                    "y": [None if rung[value] is None else round(scale * rung[value], 4) for rung in ladder],
                    "xaxis": f"x{axis}",
                    "yaxis": f"y{axis}",
                    "line": look,
                    "marker": {"size": 6},
                    "meta": "frame" if own else "beside",
                    "hovertemplate": f"%{{x}}× costs: %{{y:.2f}}{'%' if axis else ''}",
                }
            )
    ticks = {"tickvals": [0, 0.5, 1, 2], "ticktext": ["0×", "½×", "1×", "2×"]}
    layout = {
        "xaxis": {**ticks, "domain": [0, 0.45], "title": title("costs")},
        "yaxis": {"title": title("annual Sharpe ratio"), "zeroline": True},
        "xaxis2": {**ticks, "domain": [0.55, 1], "title": title("costs"), "anchor": "y2"},
        "yaxis2": {"title": title("net return"), "ticksuffix": "%", "zeroline": True, "anchor": "x2"},
        "hovermode": "closest",
    }
    narrow = {
        "height": 560,
        "xaxis": {"domain": [0, 1], "anchor": "y", "title": {"text": ""}},
        "yaxis": {"domain": [0.57, 1]},
        "xaxis2": {"domain": [0, 1]},
        "yaxis2": {"domain": [0, 0.43]},
    }
    return Figure(data, layout, height=380, narrow=narrow, frame_by="y")


def paths_figure(candidates: Sequence[Entry]) -> Figure | None:
    """The Sharpe ratio of every single-fit path beside that of the headline series, their bag; None: no paths."""
    shown = [entry for entry in candidates if len(entry.about.get("path_sharpes", [])) > 1][:MOST_INTERVALS]
    if not shown:
        return None
    rows = list(range(len(shown), 0, -1))
    single = [
        (row, sharpe)
        for row, entry in zip(rows, shown, strict=True)
        for sharpe in entry.about["path_sharpes"]
        if sharpe is not None
    ]
    data = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "one path of single fits",
            "x": [sharpe for _, sharpe in single],
            "y": [row for row, _ in single],
            "marker": {"size": 11, "color": "var(--s1)/0.45", "line": {"width": 1, "color": "var(--s1)"}},
            "hovertemplate": "path Sharpe %{x:.2f}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "name": "headline: the bag of all fits",
            "x": [entry.sharpe for entry in shown],
            "y": rows,
            "marker": {"symbol": "diamond", "size": 12, "color": "var(--s2)", "line": {"width": 1, "color": INK}},
            "hovertemplate": "headline Sharpe %{x:.2f}<extra></extra>",
        },
    ]
    layout = {
        "xaxis": {"title": title("annual Sharpe ratio, net of costs"), "zeroline": True},
        "yaxis": {
            "tickvals": rows, "ticktext": [label(entry.trial) for entry in shown],
            "range": [0.3, len(shown) + 0.7], "showgrid": False,
        },
        "hovermode": "closest",
    }  # fmt: skip
    return Figure(data, layout, height=130 + 30 * len(shown))


def labels_figure(labels: Json) -> Figure | None:
    """Shares of the labels and of the touches behind them, beside what chance would give; None: nothing is labelled."""
    if labels["class_share"] is None:
        return None
    up, null = labels["up_share"], labels["implied_null_share"]
    rows = {
        "label": labels["class_share"],
        "first touch": labels["touch_share"],
        "barriers alone": None if up is None else (1 - up, 0, up),
        "nothing to predict": None if null is None else (1 - null, 0, null),
    }
    known = {name: shares for name, shares in rows.items() if shares is not None}
    names = list(known)[::-1]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": names,
            "x": [round(100 * known[row][at], 3) for row in names],
            "marker": {"color": colour},
            "text": [f"{100 * known[row][at]:.1f}%" if known[row][at] > 0.04 else "" for row in names],
            "textposition": "inside",
            "insidetextanchor": "middle",
            "textangle": 0,
            "textfont": {"color": text},
            "hovertemplate": f"{name} %{{x:.1f}}%<extra></extra>",
        }
        for at, (name, colour, text) in enumerate(
            (("down", "var(--s2)", ON), ("neutral, by time", FAINT, INK), ("up", "var(--s1)", ON))
        )
    ]
    layout = {
        "barmode": "stack",
        "bargap": 0.3,
        "xaxis": {"range": [0, 100], "ticksuffix": "%", "showgrid": False},
        "yaxis": {"showgrid": False},
        "hovermode": "closest",
    }  # fmt: skip
    return Figure(data, layout, height=250)
