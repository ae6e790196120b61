"""All studies of a run as one family: a row a study, with what counting them all leaves of its p-value."""

from collections.abc import Sequence
from dataclasses import dataclass

from farm.report.entries import Entry
from farm.report.read import Json
from farm.stats import benjamini_hochberg, benjamini_yekutieli, holm


@dataclass(frozen=True)
class Adjusted:
    """A study's p-value after all studies are counted.

    ``holm`` bounds the chance of any false discovery in the family and decides. The others are the expected share of
    false ones among the studies that reach such a value: ``fdr`` where studies are independent or move together
    (Benjamini and Hochberg), ``fdr_any`` whatever their dependence (Benjamini and Yekutieli).
    """

    holm: float
    fdr: float
    fdr_any: float


@dataclass(frozen=True, eq=False)
class FamilyRow:
    """One study as the family's table tells it; one that was skipped has a reason in place of all numbers."""

    symbol: str
    ruling: str
    number: int | None = None
    about: Json | None = None
    best: Entry | None = None
    adjusted: Adjusted | None = None
    reason: str = ""

    @property
    def find(self) -> str:
        """The words it is found by."""
        words = (
            self.symbol,
            self.ruling,
            self.about["instrument"] if self.about else "",
            self.best and self.best.trial,
        )
        return " ".join(word for word in words if word).lower()


def adjusted_of(studies: Sequence[Json], n_skipped: int) -> list[Adjusted]:
    """The adjusted p-values of studies beside which so many were skipped, each of them counted with a p-value of 1."""
    p_values = [study["p_value"] for study in studies]
    n_tests = len(studies) + n_skipped
    columns = (adjust(p_values, n_tests).tolist() for adjust in (holm, benjamini_hochberg, benjamini_yekutieli))
    return [Adjusted(*row) for row in zip(*columns, strict=True)]


def skipped_rows(summary: Json) -> list[FamilyRow]:
    """The rows of the symbols that were left out; none where the run does not tell of any."""
    return [
        FamilyRow(symbol=one["symbol"], ruling="INSUFFICIENT", reason=one["reason"])
        for one in summary.get("skipped", ())
    ]
