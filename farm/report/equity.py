"""The chart of returns over time: headline equity with its bands, and drawdown."""

from collections.abc import Sequence
from typing import Any

from farm.report.curves import Curve, StudyCurves
from farm.report.entries import Entry
from farm.report.figure import DASHES, FAINT, INK, SERIES, Figure, choose, label, title

_UNIT = 1e5  # one stored step is a thousandth of a percent of the capital
_BAND = ("min", "p10", "p90", "max")


def equity_arrays(curves: StudyCurves, candidates: Sequence[Entry], others: Sequence[Entry]) -> dict[str, Any]:
    """The numbers of an equity chart, each kept once: days since 1970, and thousandths of a percent of the capital."""
    arrays: dict[str, Any] = {"sessions": curves.sessions.tolist()}
    for money, series in (("net", curves.net), ("gross", curves.gross)):
        for entry in (*candidates, *others):
            curve = series.get(entry.trial)
            if curve is None:
                continue
            arrays[f"{entry.key}.{money}.equity"] = _steps(curve.equity)
            if entry.role == "candidate":
                arrays[f"{entry.key}.{money}.drawdown"] = _steps(curve.drawdown)
                arrays |= _bands(f"{entry.key}.{money}", curve)
    return arrays


def equity_figure(candidates: Sequence[Entry], others: Sequence[Entry]) -> Figure:
    """Equity above and drawdown below; the controls choose the candidate in front, net or gross, and the frame."""
    shown = [entry for entry in candidates if entry.about]
    data: list[dict[str, Any]] = []
    for low, high, opacity, name, luck in (
        ("min", "max", 0.13, "all paths", None),
        ("p10", "p90", 0.25, "10–90% of paths", "95% of resampled histories"),
    ):
        edge = {"line": {"width": 0}, "hoverinfo": "skip", "hovertemplate": None, "showlegend": False}
        data.append({**_line(_band_edge(shown, low, "low" if luck else None)), **edge})
        fill = {
            "fill": "tonexty",
            "fillcolor": _colour(shown, f"/{opacity}"),
            "name": choose("band", {"luck": luck or ""}, name),
            "showlegend": choose("band", {"luck": luck is not None}, True),
        }
        data.append({**_line(_band_edge(shown, high, "high" if luck else None)), **edge, **fill})
    drawn = [entry for entry in others if entry.about and entry.role != "sentinel"]
    for at, entry in enumerate(drawn):
        look = {"color": FAINT, "width": 1.2, "dash": DASHES[at % len(DASHES)]}
        data.append({**_line(_of(entry, "equity")), "name": label(entry.trial), "line": look, "meta": "beside"})
    for at, entry in enumerate(shown[: len(SERIES)]):
        look = {"color": SERIES[at], "width": 1.6}
        data.append({**_line(_of(entry, "equity")), "name": label(entry.trial), "line": look, "legendgroup": entry.key})
        below = {"yaxis": "y2", "showlegend": False, "legendgroup": entry.key, "meta": "below"}
        data.append(
            {**_line(_of(entry, "drawdown")), "name": label(entry.trial), "line": {**look, "width": 1}, **below}
        )
    front = {
        "name": choose("trial", {entry.key: label(entry.trial) for entry in shown}, ""),
        "line": {"color": _colour(shown), "width": 3},
    }
    hidden = {entry.key: False for entry in shown[: len(SERIES)]}
    data.append({**_line(_of_front(shown, "equity")), **front, "showlegend": choose("trial", hidden, True)})
    filled = {
        "fill": "tozeroy",
        "fillcolor": _colour(shown, "/0.2"),
        "yaxis": "y2",
        "showlegend": False,
        "meta": "below",
    }
    data.append({**_line(_of_front(shown, "drawdown")), **front, **filled})
    layout = {
        "xaxis": {"type": "date", "anchor": "y2", "hoverformat": "%Y-%m-%d"},
        "yaxis": {"domain": [0.34, 1], "title": title("cumulative return"), "ticksuffix": "%", "zeroline": True},
        "yaxis2": {"domain": [0, 0.28], "title": title("drawdown"), "ticksuffix": "%", "zeroline": True},
        "hovermode": "x",
    }
    return Figure(data, layout, height=520, frame_by="y")


def _line(y: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": {"array": "sessions"},
        "y": y,
        "hovertemplate": "%{y:.2f}%",
        "meta": "frame",
    }


def _of(entry: Entry, series: str) -> dict[str, Any]:
    return choose("money", {money: {"array": f"{entry.key}.{money}.{series}"} for money in ("net", "gross")}, [])


def _of_front(shown: Sequence[Entry], series: str) -> dict[str, Any]:
    return choose("trial", {entry.key: _of(entry, series) for entry in shown}, [])


def _band_edge(shown: Sequence[Entry], of_paths: str, of_luck: str | None) -> dict[str, Any]:
    luck = _of_front(shown, of_luck) if of_luck else []
    return choose("band", {"luck": luck}, _of_front(shown, of_paths))


def _colour(shown: Sequence[Entry], opacity: str = "") -> dict[str, Any]:
    own = {entry.key: SERIES[at] + opacity for at, entry in enumerate(shown[: len(SERIES)])}
    return choose("trial", own, INK + opacity)


def _steps(values: Any) -> list[int]:
    return (values * _UNIT).round().astype(int).tolist()


def _bands(name: str, curve: Curve) -> dict[str, list[int]]:
    edges = {} if curve.band is None else dict(zip(_BAND, curve.band, strict=True))
    edges |= {} if curve.luck is None else dict(zip(("low", "high"), curve.luck, strict=True))
    return {f"{name}.{edge}": _steps(line) for edge, line in edges.items()}
