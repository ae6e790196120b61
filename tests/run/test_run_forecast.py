"""Before anything is spent, the plan says what this span and number of trials can certify."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farm.bars import SyntheticBars
from farm.config import Experiment
from farm.errors import BadInput
from farm.panel import PanelRecipe
from farm.run import run
from farm.run.forecast import forecast
from farm.stats import certifiable_sharpe

BAYES = {"uses": "sklearn.naive_bayes.GaussianNB"}


def sweep(years: float, models: int) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "sweep", "seed": 0, "track": None, "execution": {"on": "process"},
            "bars": {"source": "synthetic", "markets": {"SYN": {}}, "timeframe": "1h", "years": years},
            "decisions": {"timeframe": "1h", "events": {"kind": "cusum", "threshold": 1.5}},
            "features": {"preset": "small"},
            "labels": {"kind": "triple_barrier", "up": 1.5, "down": 1.5, "max_bars": 12},
            "folds": {"kind": "cpcv", "groups": 4, "test_groups": 2, "lockbox": 0},
            "models": {f"bayes_{n}": {**BAYES, "params": {"var_smoothing": 10.0 ** (n - 9)}} for n in range(models)},
            "stack": None,
            "backtest": {"capital": 100000},
        }
    )  # fmt: skip


def cannot(found: dict) -> list[str]:
    return [said for said in found["warnings"] if "certify" in said]


def test_a_sweep_that_cannot_succeed_is_told_so_with_the_sharpe_it_would_need(tmp_path, monkeypatch):
    monkeypatch.setenv("FARM_HOME", str(tmp_path))
    found = forecast(sweep(years=0.5, models=3))
    (study,) = found["studies"]
    expected = certifiable_sharpe(study["sessions"], 365.25, 3)
    assert study["certifiable_sharpe"] == pytest.approx(expected, rel=0.01)
    assert study["certifiable_sharpe"] > 4
    (said,) = cannot(found)
    assert f"an annual Sharpe ratio of {study['certifiable_sharpe']:.1f} or more" in said
    assert "INSUFFICIENT" in said


def test_a_longer_span_can_succeed_and_nothing_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("FARM_HOME", str(tmp_path))
    found = forecast(sweep(years=2, models=3))
    assert cannot(found) == []
    assert 0 < found["studies"][0]["certifiable_sharpe"] < 4


def test_what_earlier_experiments_tried_on_the_span_counts_and_what_is_planned_again_does_not(tmp_path, monkeypatch):
    monkeypatch.setenv("FARM_HOME", str(tmp_path))
    first, second = sweep(years=1, models=2), sweep(years=1, models=3)
    run(first)
    again, wider = (forecast(one)["studies"][0] for one in (first, second))
    assert (again["candidates"], again["earlier"]) == (2, 0)
    assert (wider["candidates"], wider["earlier"]) == (3, 0)  # two of the three are the first's
    other = sweep(years=1, models=3).model_copy(update={"seed": 1})
    (study,) = forecast(other)["studies"]
    assert (study["candidates"], study["earlier"]) == (3, 2)
    assert study["certifiable_sharpe"] > wider["certifiable_sharpe"]


def many(n: int, **changes: object) -> Experiment:
    few = sweep(years=0.5, models=2).model_dump(mode="json")
    few["bars"]["markets"] = {f"SYN-{number:02d}": {} for number in range(n)}
    return Experiment.model_validate({**few, **changes})


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The symbols of which panels are built, in their order."""
    build, built = PanelRecipe.build, []

    def counted(recipe, base, *others, **options):
        built.append(base.symbol)
        return build(recipe, base, *others, **options)

    monkeypatch.setattr(PanelRecipe, "build", counted)
    return built


def test_of_many_studies_a_few_are_built_and_the_rest_are_estimated(tmp_path, monkeypatch, builds):
    monkeypatch.setenv("FARM_HOME", str(tmp_path))
    found = forecast(many(12))
    assert len(builds) == 3
    one = found["studies"][0]
    assert (found["fits"], found["trials"]) == (12 * one["fits"], 12 * one["trials"])
    assert found["estimated_studies"] == 9
    assert [study["symbol"] for study in found["studies"]] == list(many(12).bars.symbols)
    assert [study["symbol"] for study in found["studies"] if not study["estimated"]] == builds
    assert {study["sessions"] for study in found["studies"]} == {183}  # half a year around the clock, a rule
    (said,) = cannot(found)
    assert said.startswith("SYN-00 and 11 more: ")


def test_of_every_kind_of_study_one_is_built(tmp_path, monkeypatch, builds):
    monkeypatch.setenv("FARM_HOME", str(tmp_path))
    frames = {"SYN-02": "2h", "SYN-04": "3h", "SYN-05": "4h", "SYN-06": "6h"}
    each = {symbol: {"decisions": {"timeframe": frame}} for symbol, frame in frames.items()}
    found = forecast(many(8, each=each))
    assert builds == ["SYN-00", *frames]
    assert found["estimated_studies"] == 3


def test_what_is_stored_is_read_and_nothing_is_built(tmp_path, monkeypatch, builds):
    monkeypatch.setenv("FARM_HOME", str(tmp_path))
    ran = run(many(4))
    builds.clear()
    found = forecast(many(4, models={**many(4).model_dump(mode="json")["models"], "third": BAYES}))
    assert builds == []
    assert found["estimated_studies"] == 0
    stored = ran.fits["total"]
    assert (found["fits"], found["stored"]) == (stored + 4 * 6, stored)  # a model more on six splits of each study
    said = {study["symbol"]: study["sessions"] for study in found["studies"]}
    assert said == {study["symbol"]: study["data"]["sessions"] for study in ran.summary["studies"]}


def bars_file(folder: Path, symbol: str, years: float) -> None:
    bars = SyntheticBars(markets={"SYN": {}}, timeframe="1h", years=years).read("SYN").bars
    columns = {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}
    time = pa.array(bars.open_time, pa.timestamp("ns", tz="UTC"))
    pq.write_table(pa.table({"time": time, **columns}), folder / f"{symbol}.parquet")


def from_files(folder: Path, symbols: list[str], **decisions: object) -> Experiment:
    bars = {
        "source": "parquet", "path": f"{folder}/{{symbol}}.parquet", "symbols": symbols, "timeframe": "1h",
        "stamp": "open", "instruments": dict.fromkeys(symbols, "crypto_usdt"),
    }  # fmt: skip
    few = many(1).model_dump(mode="json")
    return Experiment.model_validate({**few, "bars": bars, "decisions": {**few["decisions"], **decisions}})


def test_a_study_is_estimated_in_proportion_to_its_file(tmp_path, monkeypatch, builds):
    monkeypatch.setenv("FARM_HOME", str(tmp_path / "home"))
    for symbol in ("a", "b", "c"):
        bars_file(tmp_path, symbol, 1.0)
    bars_file(tmp_path, "twice", 2.0)
    found = forecast(from_files(tmp_path, ["a", "b", "c", "twice"]))
    estimate = found["studies"][-1]
    assert estimate["estimated"]
    assert builds == ["a", "b", "c"]
    (exact,) = forecast(from_files(tmp_path, ["twice"]))["studies"]
    assert estimate["events"] == pytest.approx(exact["events"], rel=0.1)
    assert estimate["sessions"] == pytest.approx(exact["sessions"], rel=0.1)
    assert estimate["panel_mib"] == pytest.approx(exact["panel_mib"], rel=0.1)
    assert estimate["certifiable_sharpe"] < found["studies"][0]["certifiable_sharpe"]  # it is twice as long


def test_an_estimate_beyond_the_limit_of_decisions_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("FARM_HOME", str(tmp_path / "home"))
    for symbol in ("a", "b", "c"):
        bars_file(tmp_path, symbol, 1.0)
    bars_file(tmp_path, "twice", 2.0)
    most = forecast(from_files(tmp_path, ["a"]))["studies"][0]["events"] + 20
    found = forecast(from_files(tmp_path, ["a", "b", "c", "twice"], limit=most))
    assert [said for said in found["warnings"] if said.startswith("twice: about") and "decisions.limit" in said]


def test_a_missing_file_is_named_also_where_it_would_only_be_estimated(tmp_path, monkeypatch):
    monkeypatch.setenv("FARM_HOME", str(tmp_path / "home"))
    for symbol in ("a", "b", "c"):
        bars_file(tmp_path, symbol, 1.0)
    with pytest.raises(BadInput, match=r"gone\.parquet: no such file"):
        forecast(from_files(tmp_path, ["a", "b", "c", "gone"]))
