"""The index: every run of a home on one page, to be narrowed down, opened, and laid side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from farm.report.compare import flat, written
from farm.report.frame import own_file, rendered, script_json
from farm.report.read import Json, parsed_yaml

_LONGEST_VALUE = 200  # characters of a parameter


@dataclass(frozen=True, eq=False)
class IndexedRun:
    """One run as the index tells it.

    ``link`` is its report's address from the index, None where there is no report yet; ``summary`` is None where the
    run has not come to its end.
    """

    manifest: Json
    status: str
    summary: Json | None
    experiment_text: str
    link: str | None

    @property
    def name(self) -> str:
        """Its experiment's name."""
        return self.manifest["name"]

    @property
    def run_id(self) -> str:
        """Its id."""
        return self.manifest["run_id"]

    @property
    def verdict(self) -> str | None:
        """Its verdict; None where it has none yet."""
        return None if self.summary is None else self.summary["verdict"]

    @property
    def candidates(self) -> list[Json]:
        """Its candidates, the highest deflated probability first."""
        if self.summary is None:
            return []
        told = [
            {
                "symbol": study["symbol"],
                "trial": one["trial"],
                "verdict": one["verdict"],
                "sharpe": one["evidence"]["sharpe"],
                "low": one["evidence"]["sharpe_low"],
                "high": one["evidence"]["sharpe_high"],
                "deflated": one["evidence"]["deflated"],
                "net": one["metrics"]["net_return"],
            }
            for study in self.summary["studies"]
            for one in study["candidates"]
        ]
        return sorted(told, key=lambda one: -1.0 if one["deflated"] is None else one["deflated"], reverse=True)

    @property
    def passed(self) -> list[str]:
        """The candidates that passed, in words."""
        return [f"{one['trial']} on {one['symbol']}" for one in self.candidates if one["verdict"] == "PASS"]

    @property
    def symbols(self) -> list[str]:
        """The symbols it studied; those that its experiment names where it has no summary."""
        if self.summary is not None:
            return [study["symbol"] for study in self.summary["studies"]]
        bars = parsed_yaml(self.experiment_text).get("bars", {})
        return [str(symbol) for symbol in bars.get("symbols") or bars.get("markets") or ()]

    def about(self) -> Json:
        """What the page's script needs to lay it beside another run."""
        return {
            "name": self.name,
            "id": self.run_id,
            "verdict": self.verdict,
            "parameters": {key: _short(value) for key, value in flat(parsed_yaml(self.experiment_text)).items()},
            "data": self.manifest.get("data", {}),
            "code": self.manifest["code"],
            "candidates": self.candidates,
        }


def index_page(home: str, runs: Sequence[IndexedRun]) -> str:
    """The index as one self-contained page, the latest run first."""
    ordered = sorted(runs, key=lambda run: (run.manifest["started_at"], run.run_id), reverse=True)
    return rendered(
        "index.html.j2",
        home=home,
        runs=ordered,
        verdicts=sorted({run.verdict for run in ordered if run.verdict}),
        statuses=sorted({run.status for run in ordered}),
        symbols=sorted({symbol for run in ordered for symbol in run.symbols}),
        about=script_json([run.about() for run in ordered]),
        script=own_file("index.js"),
    )


def _short(value: Any) -> str:
    text = written(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
