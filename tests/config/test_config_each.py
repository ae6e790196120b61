"""What is otherwise for some symbols of an experiment."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.config import Experiment, load_experiment
from farm.config.each import differing
from farm.errors import BadInput

FILE = """\
name: mixed
seed: 1
bars:
  source: csv
  path: bars/{symbol}.csv
  symbols: [A_1h, B_1h, B_1d]
  instruments: {B_1d: us_equity}
  timeframe: 1h
  stamp: open
each:
  "*_1d":
    bars: {timeframe: 1d}
    decisions: {timeframe: 1d, events: {kind: every}}
  "B_*": {backtest: {capital: 5000}, labels: {volatility: {window: 30}}}
decisions: {timeframe: 1h, events: {kind: cusum, threshold: 2}}
labels: {kind: triple_barrier, up: 2, down: 2, max_bars: 12}
folds: {kind: cpcv, groups: 6}
models: {linear: {uses: logistic}}
backtest: {capital: 100000}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mixed.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_a_symbol_that_fits_no_pattern_has_the_experiments_own_sections(file: Path) -> None:
    whole = load_experiment(file)
    alone = whole.of("A_1h")
    assert alone.bars.symbols == ("A_1h",)
    assert (alone.decisions, alone.labels, alone.backtest) == (whole.decisions, whole.labels, whole.backtest)


def test_patterns_that_fit_a_symbol_add_up_and_a_key_takes_the_place_of_its_own_alone(file: Path) -> None:
    whole = load_experiment(file)
    own = whole.of("B_1d")
    assert own.bars.timeframe == own.decisions.timeframe == "1d"
    assert own.decisions.events.kind == "every"
    assert own.decisions.limit == whole.decisions.limit
    assert own.labels.volatility.window == 30
    assert own.labels.volatility.kind == whole.labels.volatility.kind
    assert own.backtest.capital == 5000
    assert own.bars.instruments == {"B_1d": "us_equity"}
    assert own.of("B_1d") == own


def test_artificial_markets_may_differ_too(file: Path) -> None:
    bars = FILE[FILE.index("bars:") : FILE.index("each:")]
    markets = "bars: {source: synthetic, years: 1, markets: {SYN_1h: {}, SYN_1d: {edge: 0.1}}}\n"
    file.write_text(FILE.replace(bars, markets).replace("B_*", "SYN_*"), encoding="utf-8")
    own = load_experiment(file).of("SYN_1d")
    assert own.bars.symbols == ("SYN_1d",)
    assert own.bars.timeframe == own.decisions.timeframe == "1d"
    assert own.backtest.capital == 5000


def test_what_differs_is_written_out_with_the_experiment_and_decides_its_results(file: Path) -> None:
    whole = load_experiment(file)
    assert Experiment.model_validate(whole.model_dump(mode="json")) == whole
    other = load_experiment(file, ["each.B_*.backtest.capital=6000"])
    assert other.results_digest() != whole.results_digest()
    assert other.of("A_1h") == whole.of("A_1h")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("each.C_*={bars: {timeframe: 1d}}", r"each\.C_\* fits no symbol; .*B_1d"),
        (
            "each.B_*.bars.timefame=1d",
            r"each\.B_\* makes no experiment for B_1h: bars: unknown key 'timefame'; did you",
        ),
        ("each.B_*.models={}", r"unknown key 'models'.*known: backtest, bars"),
        ("each.B_*.folds.kind=k_fold", r"makes no experiment for B_1h: .*folds"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work_and_names_the_pattern(file: Path, change: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        load_experiment(file, [change])


def test_a_fault_among_the_differences_is_told_at_its_line(file: Path) -> None:
    file.write_text(FILE.replace("capital: 5000", "capital: -1"), encoding="utf-8")
    with pytest.raises(BadInput, match=rf"^{file}:1[0-4]: each\.B_\* makes no experiment for B_1h: backtest\.capital"):
        load_experiment(file)


plain = st.recursive(
    st.integers() | st.text(max_size=3), lambda inner: st.dictionaries(st.sampled_from("abcd"), inner), max_leaves=8
)
mappings = st.dictionaries(st.sampled_from("abcd"), plain)


@given(mappings, mappings)
def test_differing_twice_by_the_same_is_differing_once_and_by_nothing_is_nothing(
    values: dict[str, object], differences: dict[str, object]
) -> None:
    once = differing(values, differences)
    assert differing(once, differences) == once
    assert differing(values, {}) == values
    assert set(once) == set(values) | set(differences)
