"""The features of a study as the report lists them: how often each was kept, and what the tests say of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from farm.report.read import Json

MOST_MODELS = 6
"""Models with a column of their own in the table of features; the others are told by their stability alone."""
_ROWS_OF_PAGE, _LEAST_ROWS = 900, 20


@dataclass(frozen=True)
class FeatureRow:
    """One feature: the share of each model's fits that kept it, by model, and its diagnosis, None where there is none.

    A model that keeps no record of the feature has no share.
    """

    name: str
    kept: Mapping[str, float]
    diagnosis: Json | None

    @property
    def most(self) -> float:
        """The greatest share of any model's fits that kept it."""
        return max(self.kept.values(), default=0.0)


@dataclass(frozen=True)
class FeatureTable:
    """The features of one study, the most often kept first; ``models`` have a column each, ``total`` counts all."""

    rows: tuple[FeatureRow, ...]
    models: tuple[str, ...]
    total: int
    diagnosed: bool


def feature_table(study: Json, n_studies: int) -> FeatureTable | None:
    """The table of a study's features, shorter where the page holds many studies; None when nothing is known of them.

    Examples
    --------
    >>> study = {"selection": {"linear": {"frequency": {"rsi": 0.4, "atr": 1.0}}}}
    >>> [(row.name, row.most) for row in feature_table(study, n_studies=1).rows]
    [('atr', 1.0), ('rsi', 0.4)]
    """
    selection: Json = study.get("selection") or {}
    diagnosed = {one["name"]: one for one in (study.get("diagnostics") or {}).get("features", ())}
    names = dict.fromkeys((*diagnosed, *(name for one in selection.values() for name in one["frequency"])))
    if not names:
        return None
    models = tuple(selection)[:MOST_MODELS]
    rows = [
        FeatureRow(
            name,
            {model: about["frequency"][name] for model, about in selection.items() if name in about["frequency"]},
            diagnosed.get(name),
        )
        for name in names
    ]
    rows.sort(key=lambda row: -row.most)
    most = max(_ROWS_OF_PAGE // n_studies, _LEAST_ROWS)
    return FeatureTable(tuple(rows[:most]), models, len(rows), bool(diagnosed))
