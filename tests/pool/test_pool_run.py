"""A pool in a run: one study, one verdict, stored and resumed like any other."""

from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from farm.errors import BadInput
from farm.ledger import all_trials, trials_on
from farm.models import installed
from farm.pool import SHARED_OUT
from farm.run import run
from farm.run.beforehand import check_before_work
from farm.run.check import check
from farm.run.driver import RunResult
from farm.run.forecast import forecast
from farm.run.reproduce import reproduce
from farm.run.streamed import IN_PARTS
from tests.pool.made import experiment


def table(result: RunResult, name: str) -> Any:
    return pq.read_table(result.folder.path / name)


def test_a_pool_is_one_study_with_one_verdict_for_each_candidate(pool_run: RunResult) -> None:
    (study,) = pool_run.summary["studies"]
    assert study["symbol"] == "pool"
    assert [one["trial"] for one in study["candidates"]] == ["linear", "boosted", "stack"]
    assert study["level"] == 0.05
    assert study["faults"] == []
    assert study["proof"]["violations"] == []
    assert study["proof"]["rows_checked"] > 3 * study["events"]
    assert {one["symbol"] for one in study["members"]} == {"SYN-A", "SYN-B"}
    assert sum(one["events"] for one in study["members"]) == study["events"]


def test_every_row_of_every_symbol_is_predicted_out_of_fold(pool_run: RunResult) -> None:
    rows = table(pool_run, "oof.parquet").to_pandas()
    assert set(rows["symbol"]) == {"SYN-A", "SYN-B"}
    assert not rows.duplicated(["symbol", "decided_at", "trial", "split"]).any()
    (study,) = pool_run.summary["studies"]
    for _, own in rows.groupby("trial"):
        assert len(own.drop_duplicates(["symbol", "decided_at"])) == study["events"]
    weight = rows[rows["trial"] == "linear"].drop_duplicates(["symbol", "decided_at"]).groupby("symbol")["weight"].sum()
    assert weight["SYN-A"] == pytest.approx(weight["SYN-B"])


def test_returns_are_told_of_the_pool_and_of_every_symbol(pool_run: RunResult) -> None:
    rows = table(pool_run, "returns.parquet").to_pandas()
    headline = rows[rows["path"] == -1].pivot_table(index=["trial", "session"], columns="symbol", values="net")
    both = headline[["SYN-A", "SYN-B"]].fillna(0.0).mean(axis=1)
    np.testing.assert_allclose(headline["pool"], both, atol=1e-15)
    assert (headline["pool"] != 0).any()
    assert set(rows.loc[rows["path"] >= 0, "symbol"]) == {"pool"}


def test_a_pool_of_one_symbol_predicts_and_earns_what_the_ordinary_study_does(tmp_path: Path) -> None:
    pooled = run(experiment(tmp_path / "pooled", ("SYN-A",)))
    ordinary = run(experiment(tmp_path / "ordinary", ("SYN-A",), pool=None))
    here, there = (table(one, "oof.parquet") for one in (pooled, ordinary))
    assert here.equals(there)
    headline = table(pooled, "returns.parquet").filter(pc.field("symbol") == "pool").drop_columns("symbol")
    assert headline.equals(table(ordinary, "returns.parquet").drop_columns("symbol"))
    of_pool, alone = pooled.summary["studies"][0], ordinary.summary["studies"][0]
    assert of_pool["groups"] == alone["groups"]
    assert of_pool["splits"] == alone["splits"]
    assert of_pool["sentinels"] == alone["sentinels"]
    for one, other in zip(of_pool["candidates"], alone["candidates"], strict=True):
        assert one["verdict"] == other["verdict"]
        assert one["evidence"] == other["evidence"]
        assert one["metrics"] == other["metrics"]


def test_the_same_command_again_fits_nothing_and_says_the_same(pool_run: RunResult) -> None:
    home = pool_run.folder.path.parents[2]
    again = run(experiment(home))
    assert again.fits == {**pool_run.fits, "done": 0, "reused": pool_run.fits["total"]}
    assert again.summary == pool_run.summary


def test_its_trials_are_announced_under_the_pool_and_those_on_its_symbols_count_against_it(tmp_path: Path) -> None:
    alone = run(experiment(tmp_path, ("SYN-A",), pool=None, name="alone"))
    pooled = run(experiment(tmp_path))
    told = [trial for trial in all_trials(str(tmp_path)) if trial.begun.symbol == "pool"]
    assert {trial.begun.name for trial in told if trial.role == "candidate"} == {"linear", "boosted", "stack"}
    assert {trial.begun.symbols for trial in told} == {("SYN-A", "SYN-B")}
    assert alone.summary["studies"][0]["raw_trials"] == 3
    assert pooled.summary["studies"][0]["raw_trials"] == 6
    assert len([trial for trial in trials_on(str(tmp_path), "SYN-A") if trial.role == "candidate"]) == 6
    assert len([trial for trial in trials_on(str(tmp_path), "SYN-B") if trial.role == "candidate"]) == 3


def test_trials_of_a_pool_count_against_a_study_of_one_of_its_symbols(tmp_path: Path, pool_run: RunResult) -> None:
    home = pool_run.folder.path.parents[2]
    copytree(home, tmp_path / "home")
    alone = run(experiment(tmp_path / "home", ("SYN-B",), pool=None, name="alone"))
    assert alone.summary["studies"][0]["raw_trials"] == 6
    for one in reproduce(alone.folder, str(tmp_path / "home"), str(tmp_path / "again")):
        assert one.differs == (), one.file


def test_a_pool_is_built_again_to_the_byte(pool_run: RunResult, tmp_path: Path) -> None:
    home = pool_run.folder.path.parents[2]
    for one in reproduce(pool_run.folder, str(home), str(tmp_path / "again")):
        assert one.differs == (), one.file


def test_the_report_names_the_symbols_and_what_each_earned(pool_run: RunResult) -> None:
    page = (pool_run.folder.path / "report.html").read_text(encoding="utf-8")
    assert "By symbol" in page
    assert '<th scope="row">SYN-B</th>' in page


def test_a_forecast_of_a_pool_is_of_one_study(tmp_path: Path, pool_run: RunResult) -> None:
    told = forecast(experiment(tmp_path))
    assert [study["symbol"] for study in told["studies"]] == ["pool"]
    assert told["fits"] == pool_run.fits["total"]
    assert told["stored"] == 0
    home = pool_run.folder.path.parents[2]
    assert forecast(experiment(home))["stored"] == pool_run.fits["total"]
    assert not (tmp_path / "store").exists()


def test_a_check_tells_of_every_symbol_and_of_the_pool(tmp_path: Path) -> None:
    lines = list(check(experiment(tmp_path)))
    assert [line.partition(":")[0] for line in lines[1:4]] == ["SYN-A", "SYN-B", "pool"]
    assert "decisions of 2 symbols" in lines[3]


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"each": {"SYN-A": {"decisions": {"limit": 100}}}}, "each: nothing may differ among the symbols of a pool"),
        ({"search": {"objective": "log_loss"}}, "search: models of a pool are not searched"),
        ({"models": {"slow": {"uses": "logistic", "timeframe": "4h"}}}, r"models.slow.timeframe: models of a pool"),
        ({"pool": {"engine": "joblib"}}, "engine"),
        ({"pool": {"workers": 2}}, "workers is for an engine that shares a fit out"),
        ({"pool": {"engine": "ray_train"}}, "pool.engine ray_train needs workers on Ray"),
        (
            {"pool": {"engine": "ray_train"}, "execution": {"on": "ray"}},
            "models.linear.uses is logistic, and pool.engine ray_train trains lightgbm and xgboost alone",
        ),
        (
            {
                "pool": {"engine": "xgboost_ray"},
                "execution": {"on": "ray"},
                "models": {"leafwise": {"uses": "lightgbm"}},
            },
            "models.leafwise.uses is lightgbm, and pool.engine xgboost_ray trains xgboost alone",
        ),
    ],
)
def test_what_a_pool_cannot_do_is_refused_by_its_key(tmp_path: Path, over: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        experiment(tmp_path, **over)


def test_a_symbol_may_not_have_the_name_of_the_pool(tmp_path: Path) -> None:
    files = {"source": "csv", "path": "{symbol}.csv", "symbols": ["A", "pool"], "timeframe": "1h", "stamp": "open"}
    with pytest.raises(ValidationError, match="pool is what the study of a pool is called"):
        experiment(tmp_path, bars=files)


def test_a_model_that_reads_windows_is_refused_before_any_fit(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="reads windows"):
        run(experiment(tmp_path, models={"net": {"uses": "gru"}}))
    assert not list(tmp_path.rglob("fits/*/*"))


def shared_out(home: Path | str, **over: Any) -> Any:
    """An experiment whose fits workers of Ray Train make together."""
    boosted = {"boosted": {"uses": "xgboost", "params": {"n_estimators": 10, "max_depth": 3}}}
    how = {"models": boosted, "pool": {"engine": "ray_train"}, "execution": {"on": "ray"}, "stack": None}
    return experiment(home, **{**how, **over})


def test_an_engine_that_shares_fits_out_has_two_workers_unless_told_otherwise(tmp_path: Path) -> None:
    assert shared_out(tmp_path).pool.workers == 2
    assert shared_out(tmp_path, pool={"engine": "xgboost_ray", "workers": 3}).pool.workers == 3


def test_what_an_engine_is_said_to_share_out_there_is_a_library_for(tmp_path: Path) -> None:
    assert sorted(IN_PARTS) == sorted(SHARED_OUT["ray_train"])
    for uses in IN_PARTS:
        assert shared_out(tmp_path, models={"trees": {"uses": uses}}).models["trees"].uses == uses


def test_nothing_is_chosen_among_features_where_nobody_sees_the_rows(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"pool.engine ray_train trains on all \d+ features.*set features.keep"):
        list(check(shared_out(tmp_path, features={"preset": "small", "keep": 3})))
    assert list(check(shared_out(tmp_path)))


def test_workers_that_share_a_fit_out_need_a_home_of_files() -> None:
    with pytest.raises(
        BadInput, match=r"home is s3://somewhere/home, and pool\.engine ray_train keeps its state there"
    ):
        check_before_work(shared_out("s3://somewhere/home"), installed())
