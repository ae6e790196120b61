import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from farm.cli import app
from farm.errors import BadInput
from farm.report import compare_runs, write_comparison
from farm.stats import bootstrap_interval
from farm.stats.difference import paired_difference

seeds = st.integers(0, 2**31)


def sharpe_gap(both):
    mean, deviation = both.mean(axis=0), both.std(axis=0, ddof=1)
    return float(mean[1] / deviation[1] - mean[0] / deviation[0])


def test_the_interval_is_the_stationary_bootstraps_of_both_series_resampled_together():
    rng = np.random.default_rng(0)
    market = rng.normal(0, 0.01, 300)
    both = np.column_stack((market + rng.normal(0.001, 0.004, 300), market + rng.normal(0, 0.004, 300)))
    found = paired_difference(both[:, 0], both[:, 1], periods=252)
    columns = np.column_stack((both, both[:, 1] - both[:, 0]))
    block = bootstrap_interval(columns, lambda rows: float(rows.mean()), n_resamples=100).block_length
    slow = bootstrap_interval(both, sharpe_gap, block_length=block)
    root = np.sqrt(252)
    for name, expected in (("value", slow.estimate), ("low", slow.low), ("high", slow.high)):
        assert getattr(found.sharpe, name) == pytest.approx(root * expected)


@given(seed=seeds, n=st.integers(8, 80))
def test_swapping_two_series_turns_the_difference_around(seed, n):
    first, second = np.random.default_rng(seed).normal(0, 0.01, (2, n))
    there, back = paired_difference(first, second, 252), paired_difference(second, first, 252)
    for name in ("sharpe", "annual_return"):
        one, other = getattr(there, name), getattr(back, name)
        assert (other.value, other.low, other.high) == pytest.approx((-one.value, -one.high, -one.low), abs=1e-9)


@given(seed=seeds, n=st.integers(8, 80))
def test_a_series_differs_by_nothing_from_itself(seed, n):
    returns = np.random.default_rng(seed).normal(0, 0.01, n)
    found = paired_difference(returns, returns + 1e-17, 252)
    assert (found.sharpe.value, found.sharpe.low, found.sharpe.high) == (0, 0, 0)
    assert not found.annual_return.apart


def test_what_two_series_share_does_not_widen_their_difference():
    rng = np.random.default_rng(2)
    market, own = rng.normal(0, 0.02, 500), rng.normal(0, 0.002, 500)
    together = paired_difference(market, market + own, 252).annual_return
    apart = paired_difference(market, rng.permutation(market) + own, 252).annual_return
    assert together.high - together.low < 0.2 * (apart.high - apart.low)


def test_intervals_on_no_difference_hold_zero_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        market = rng.normal(0.0005, 0.01, 250)
        first, second = (market + rng.normal(0, 0.005, 250) for _ in range(2))
        held += not paired_difference(first, second, 252).sharpe.apart
    assert 0.90 <= held / 200 <= 0.99


def test_the_difference_of_a_series_that_never_moved_is_known_in_return_alone():
    idle, busy = np.zeros(50), np.random.default_rng(0).normal(0.001, 0.01, 50)
    found = paired_difference(idle, busy, 252)
    assert found.sharpe is None
    assert found.annual_return.value == pytest.approx(busy.mean() * 252)
    assert paired_difference(idle[:5], busy[:5], 252).annual_return is None


@pytest.fixture
def two_runs(make, tmp_path):
    """A run, and the same again with another seed, other data, and the stack's verdict changed."""
    a = make.run(tmp_path / "runs" / "trend" / "a", [make.study("ALPHA", [make.candidate("stack"),
                                                                         make.candidate("linear")])])  # fmt: skip
    b = make.run(
        tmp_path / "runs" / "trend" / "b",
        [make.study("ALPHA", [make.candidate("forest"), make.candidate("stack", "PASS", ())]),
         make.study("GAMMA", [make.candidate("stack")])],
    )  # fmt: skip
    for folder, seed in ((a, 7), (b, 8)):
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest |= {"run_id": folder.name, "data": {"ALPHA": f"fingerprint {seed}"}}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        (folder / "experiment.yaml").write_text(f"name: trend\nseed: {seed}\nfolds: {{groups: 6}}\n")
    return a, b


def shift(folder, trial, days):
    """The run's returns of a trial some sessions later."""
    rows = pq.read_table(folder / "returns.parquet").to_pandas()
    rows.loc[rows["trial"] == trial, "session"] += np.timedelta64(days, "D")
    pq.write_table(pa.Table.from_pandas(rows.sample(frac=1, random_state=0), preserve_index=False),
                   folder / "returns.parquet")  # fmt: skip


def test_a_comparison_tells_what_was_changed_and_what_changed(two_runs):
    found = compare_runs(*two_runs).plain()
    assert found["parameters"] == [{"what": "seed", "a": 7, "b": 8}]
    assert found["data"] == [{"what": "ALPHA", "a": "fingerprint 7", "b": "fingerprint 8"}]
    assert found["environment"] == []
    (stack,) = found["candidates"]
    assert (stack["symbol"], stack["trial"]) == ("ALPHA", "stack")
    assert stack["verdict"] == {"a": "FAIL", "b": "PASS"}
    assert stack["difference"]["sharpe"]["low"] < stack["difference"]["sharpe"]["high"]
    assert found["only_a"] == [["ALPHA", "linear"]]
    assert found["only_b"] == [["ALPHA", "forest"], ["GAMMA", "stack"]]
    json.dumps(found, allow_nan=False)


def test_sessions_are_joined_by_day_and_those_of_one_run_alone_are_left_out(two_runs):
    a, b = two_runs
    straight = compare_runs(a, b).trials[0]
    shift(b, "forest", 0)  # the same rows, in no order
    assert compare_runs(a, b).trials[0].difference == straight.difference
    shift(b, "stack", 100)
    (later,) = compare_runs(a, b).trials
    assert (later.sessions, later.sessions_a, later.sessions_b) == (300, 400, 400)


def test_a_run_compared_with_itself_differs_in_nothing(two_runs):
    found = compare_runs(two_runs[0], two_runs[0])
    assert (found.parameters, found.data, found.environment, found.only_a, found.only_b) == ((), (), (), (), ())
    for one in found.trials:
        assert (one.difference.sharpe.low, one.difference.sharpe.high) == (0, 0)


def test_runs_with_no_candidate_in_common_are_refused_by_name(make, two_runs, tmp_path):
    other = make.run(tmp_path / "other", [make.study("OMEGA", [make.candidate("stack")])])
    with pytest.raises(
        BadInput, match=r"nothing to compare: .* stack on ALPHA .* stack on OMEGA; runs are compared by"
    ):
        compare_runs(two_runs[0], other)


def test_the_page_of_a_comparison_says_it_in_a_sentence_and_is_the_same_every_time(two_runs, tmp_path):
    path = write_comparison(compare_runs(*two_runs), tmp_path / "compare.html")
    html = path.read_text(encoding="utf-8")
    assert "the verdict changed for stack on ALPHA" in html
    assert "Only in A: linear on ALPHA." in html
    assert write_comparison(compare_runs(*two_runs), tmp_path / "again.html").read_text(encoding="utf-8") == html


def test_the_command_prints_tables_json_or_a_page(two_runs, tmp_path):
    a, b = map(str, two_runs)
    shown = CliRunner().invoke(app, ["compare", a, b], env={"COLUMNS": "80"})
    assert shown.exit_code == 0
    assert "FAIL" in shown.output
    assert "→ PASS" in shown.output
    assert max(len(line) for line in shown.output.splitlines()) <= 80
    as_json = CliRunner().invoke(app, ["compare", a, b, "--json", "--html", str(tmp_path / "page.html")])
    assert json.loads(as_json.stdout)["candidates"][0]["trial"] == "stack"
    assert (tmp_path / "page.html").is_file()


def test_the_command_finds_runs_of_a_home_by_id(two_runs, tmp_path):
    shown = CliRunner().invoke(app, ["compare", "a", "b", "--home", str(tmp_path), "--json"])
    assert json.loads(shown.stdout)["b"]["run_id"] == "b"
