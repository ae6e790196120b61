"""The page of a run, from its folder."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from farm.report.calibration import reliability_figure, splits_figure
from farm.report.curves import StudyCurves, study_curves
from farm.report.entries import Entries, Entry, entries_of, n_searched, nearest_miss, shared_reasons, statement
from farm.report.equity import equity_arrays, equity_figure
from farm.report.family import FamilyRow, adjusted_of, skipped_rows
from farm.report.features import FeatureTable, feature_table
from farm.report.figure import Figure
from farm.report.foldmap import MOST_SPLITS, folds_figure
from farm.report.frame import own_file, rendered, safe, script_json, write_whole
from farm.report.plots import MOST_INTERVALS, cost_figure, labels_figure, paths_figure, sharpe_figure
from farm.report.predictions import Scored, scored_trials
from farm.report.read import Json, RunFiles, read_run
from farm.report.wording import value_range

MOST_CHARTED = 48
"""Studies with charts of their own: those nearest to passing, fewer where each has many candidates.

The tables hold them all. Where there are more studies than this, the page packs the details of all but the first and
unpacks them when somebody unfolds a study.
"""

_NUMBERS = 260_000  # of all equity charts together; a number is five characters, so this bounds the page's size
_LEAST_POINTS, _MOST_POINTS = 60, 480
_MOST_ROWS_LISTED = 50
_MOST_PLAIN_ROWS = 300  # candidates that a table of very many shows at once
_UNFOLDED = 2  # studies


@dataclass(frozen=True, eq=False)
class StudyPart:
    """What the page shows of one study."""

    number: int
    about: Json
    entries: Entries
    figures: dict[str, Figure]
    scored: dict[str, Scored]
    features: FeatureTable | None
    ruling: str
    packed: bool

    @property
    def shown(self) -> list[Entry]:
        """Its candidates that have a result."""
        return [entry for entry in self.entries.candidates if entry.about]

    @property
    def warnings(self) -> list[str]:
        """What the data and features give reason to look at, though no rule stops at it."""
        budget = (self.about.get("budget") or {}).get("warning")
        return [*([budget] if budget else []), *(self.about.get("diagnostics") or {}).get("warnings", ())]


def write_report(folder: Path) -> Path:
    """Write ``report.html``, one self-contained page, from the run's own files alone; its path.

    Equal files make equal pages, byte for byte.

    Raises
    ------
    BadInput
        The run did not finish: one of its files is missing.
    ValueError
        A study has no baseline to stand beside its candidates.
    """
    html = _render(read_run(folder))
    return write_whole(folder / "report.html", html)


def _render(files: RunFiles) -> str:
    from plotly.offline import get_plotlyjs

    entries = entries_of(files)
    by_study = entries.by_study(len(files.studies))
    several = len(files.studies) > 1
    order = list(dict.fromkeys(entry.study for entry in entries.candidates))
    order += [number for number in range(len(files.studies)) if number not in order]
    charted = order[: _most_charted(by_study, order)]
    points = _points(by_study, charted)
    folds = files.experiment.get("folds", {})
    parts: list[StudyPart] = []
    scopes: dict[str, Any] = {}
    for at, number in enumerate(order):
        about, own = files.studies[number], by_study[number]
        curve = _curves(files, about, points) if number in charted else None
        scored = _scored(files, about) if number in charted else {}
        figures = _figures(about, own, folds, scored, curve is not None) if number in charted else {}
        features = feature_table(about, len(order))
        parts.append(
            StudyPart(
                number,
                about,
                own,
                figures,
                scored,
                features,
                _ruling(own),
                packed=len(order) > MOST_CHARTED and at >= _UNFOLDED,
            )
        )
        arrays = {} if curve is None else equity_arrays(curve, own.candidates, own.others)
        if figures:
            scopes[str(number)] = _scope(arrays, figures)
    overview = sharpe_figure(entries.candidates, several_studies=several)
    scopes["run"] = _scope({}, {"sharpe": overview})
    return rendered(
        "page.html.j2",
        summary=files.summary,
        manifest=files.manifest,
        lockbox=files.lockbox,
        folds=folds,
        experiment_text=files.experiment_text,
        studies=parts,
        family=_family(files, parts),
        entries=entries,
        searched=n_searched(files.studies),
        statement=statement(entries.candidates),
        nearest=nearest_miss(entries.candidates),
        reasons=shared_reasons(entries.candidates),
        studies_by_number=files.studies,
        overview=overview,
        raw_trials=value_range([study["raw_trials"] for study in files.studies], 0),
        effective_trials=value_range([study["effective_trials"] for study in files.studies]),
        instruments=list(dict.fromkeys(study["instrument"] for study in files.studies)),
        most_intervals=MOST_INTERVALS,
        most_splits=MOST_SPLITS,
        most_charted=len(charted),
        most_rows=_MOST_ROWS_LISTED,
        most_plain_rows=_MOST_PLAIN_ROWS,
        hidden_rows=len(entries.candidates) > _MOST_PLAIN_ROWS,
        most_unfolded=_UNFOLDED,
        scopes=scopes,
        script=own_file("page.js"),
        plotly=safe(get_plotlyjs()),
    )


def _scope(arrays: Json, figures: dict[str, Figure]) -> Any:
    """What the page's script draws of one study, as JSON: a tenth of the memory of the numbers it is made of."""
    return script_json({"arrays": arrays, "figures": {name: asdict(one) for name, one in figures.items()}})


def _figures(about: Json, own: Entries, folds: Json, scored: dict[str, Scored], has_curves: bool) -> dict[str, Figure]:
    shown = [entry for entry in own.candidates if entry.about]
    others = [entry for entry in own.others if entry.about]
    figures = {
        "equity": equity_figure(shown, others) if has_curves and shown else None,
        "costs": cost_figure(shown, others) if shown else None,
        "paths": paths_figure(shown),
        "reliability": reliability_figure(shown, scored),
        "splits": splits_figure(about, [*shown, *others], scored),
        "labels": labels_figure(about["labels"]),
        "folds": folds_figure(about, folds),
    }
    return {name: figure for name, figure in figures.items() if figure is not None}


def _points(by_study: Sequence[Entries], charted: Sequence[int]) -> int:
    """Sessions that a curve shows, so that all curves together bound the page's size."""
    series = sum(_series(by_study[number]) for number in charted)
    return min(max(_NUMBERS // max(series, 1), _LEAST_POINTS), _MOST_POINTS)


def _curves(files: RunFiles, about: Json, points: int) -> StudyCurves | None:
    """One study's, read when it is its turn: those of all studies would be in memory together."""
    return next(study_curves(files.returns([about["symbol"]]), points), None)


def _series(own: Entries) -> int:
    """Lines of numbers: a candidate's equity, drawdown and six edges of its bands, net and gross; others' equity."""
    return 16 * len(own.candidates) + 2 * len(own.others)


def _most_charted(by_study: Sequence[Entries], order: Sequence[int]) -> int:
    """How many studies can have charts with the fewest points: at least one, at most ``MOST_CHARTED``."""
    series = np.cumsum([_series(by_study[number]) for number in order])
    return int(np.clip(np.searchsorted(series, _NUMBERS // _LEAST_POINTS, side="right"), 1, MOST_CHARTED))


def _scored(files: RunFiles, about: Json) -> dict[str, Scored]:
    rows = files.predictions([one["symbol"] for one in about.get("members", ())] or [about["symbol"]])
    return {} if rows is None else dict(scored_trials(rows))


def _family(files: RunFiles, parts: Sequence[StudyPart]) -> list[FamilyRow]:
    skipped = skipped_rows(files.summary)
    adjusted = adjusted_of(files.studies, len(skipped))
    judged = [
        FamilyRow(
            symbol=part.about["symbol"],
            ruling=part.ruling,
            number=part.number,
            about=part.about,
            best=part.shown[0] if part.shown else None,
            adjusted=adjusted[part.number],
        )
        for part in parts
    ]
    return [*judged, *skipped]


def _ruling(own: Entries) -> str:
    standings = [entry.standing for entry in own.candidates]
    return next((ruling for ruling in ("PASS", "FAIL", "INSUFFICIENT") if ruling in standings), "NO RESULT")
