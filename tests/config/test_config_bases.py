"""Models with a timeframe, events, features or a window of their own: what they resolve to, and what is refused."""

import pytest

from farm.config import Experiment, load_experiment
from farm.errors import BadInput
from farm.labels import Cusum
from farm.models import builtin
from farm.run.beforehand import check_before_work

BODY = """\
name: bases
seed: 7
bars: {source: synthetic, timeframe: 1min, years: 0.1, markets: {SYN-A: {}}}
decisions: {timeframe: 5min, events: {kind: cusum, threshold: 2}}
features: {preset: small, timeframes: [15min]}
labels: {kind: triple_barrier, up: 2, down: 2, max_bars: 20}
folds: {kind: cpcv, groups: 4}
models:
  clock: {uses: logistic}
  other: {uses: logistic%s}
stack: {steps: [{kind: combine}%s]}
backtest: {capital: 100000}
"""


def experiment(tmp_path, other="", step=""):
    file = tmp_path / "experiment.yaml"
    file.write_text(BODY % (other and f", {other}", step and f", {step}"))
    return load_experiment(file)


def recipe(tmp_path, other):
    whole = experiment(tmp_path, other)
    return whole, whole.recipe_of(whole.models["other"], builtin())


def test_a_model_with_nothing_of_its_own_reads_the_clocks_panel(tmp_path):
    whole, own = recipe(tmp_path, "")
    assert own == whole.panel
    assert set(whole.recipes(builtin()).values()) == {whole.panel}


@pytest.mark.parametrize(
    "other",
    [
        "timeframe: 5min",
        "events: {kind: cusum, threshold: 2}",
        "labels: {kind: triple_barrier, up: 2, down: 2, max_bars: 20}",
    ],
)
def test_saying_what_holds_anyway_changes_nothing(tmp_path, other):
    whole, own = recipe(tmp_path, other)
    assert own == whole.panel


def test_a_longer_base_decides_at_every_bar_unless_it_says_otherwise(tmp_path):
    own_features = "features: {preset: small}"
    _, every = recipe(tmp_path, f"timeframe: 1h, {own_features}")
    _, said = recipe(tmp_path, f"timeframe: 1h, events: {{kind: every}}, {own_features}")
    _, thinned = recipe(tmp_path, f"timeframe: 1h, events: {{kind: cusum, threshold: 1}}, {own_features}")
    assert every == said
    assert every.own_timeframe == "1h"
    assert every.events is None
    assert thinned.events == Cusum(threshold=1)
    assert every.features.timeframes == ()


def test_what_a_model_has_of_its_own_is_written_out_and_read_back(tmp_path):
    whole = experiment(tmp_path, "timeframe: 1h, features: {preset: small}")
    written = whole.model_dump(mode="json")
    assert written["models"]["other"]["timeframe"] == "1h"
    assert written["models"]["other"]["features"]["keep"] == 50
    assert "timeframe" not in written["models"]["clock"]
    assert Experiment.model_validate(written).results_digest() == whole.results_digest()


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ("timeframe: 30s", "models.other.timeframe is 30s, finer than the data's 1min"),
        ("timeframe: 90s", "models.other.timeframe is 90s, no multiple of the data's 1min"),
        ("timeframe: 7min", "models.other.timeframe is 7min, neither a multiple of the decisions' 5min nor a divisor"),
        ("timeframe: 2min", "models.other.timeframe is 2min, neither a multiple"),
        (
            "labels: {kind: triple_barrier, up: 1, down: 1, max_bars: 5, entry: close}",
            "models.other.labels.entry is close, but an order placed at a bar's close fills at the next bar's open",
        ),
        ("timeframe: 1min, events: {kind: every}", "models.other.events has no place beside timeframe 1min"),
        ("timeframe: 1h", "models.other.timeframe: its features are read on 15min, which is not longer than 1h"),
        (
            "timeframe: 1h, features: {preset: small, timeframes: [30min]}",
            "models.other.features.timeframes: its features are read on 30min",
        ),
        ("timeframe: soon", "timeframe 'soon' is not a length"),
        ("window: 1", "models.other.window: should be greater than or equal to 2"),
    ],
)
def test_a_base_that_does_not_fit_is_refused_with_its_line(tmp_path, other, message):
    with pytest.raises(BadInput) as refused:
        experiment(tmp_path, other)
    assert str(refused.value).count("\n") == 0
    assert f"{tmp_path / 'experiment.yaml'}:10:" in str(refused.value)
    assert message in str(refused.value).replace(f"{tmp_path}", "")


@pytest.mark.parametrize(
    ("other", "step", "message"),
    [
        ("window: 20", "", "models.other: model logistic reads one row of features a decision"),
        ("", "{kind: meta_label, features: [rsi_99]}", "stack.steps: a step reads the feature rsi_99"),
        (
            "",
            "{kind: meta_label, primary: oracle}",
            "stack.steps: a step takes its side from oracle, which is no model",
        ),
    ],
)
def test_what_only_the_catalog_knows_is_refused_before_any_work(tmp_path, other, step, message):
    with pytest.raises(BadInput) as refused:
        check_before_work(experiment(tmp_path, other, step), builtin())
    assert message in str(refused.value)
