"""One setting for store, ledger and runs: all of them on a real S3-compatible server."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from farm.config import Experiment
from farm.ledger import FileJournal, Ledger, all_trials, studies
from farm.run import list_runs, run
from farm.run.folder import run_at
from farm.store import Damaged, HomeFailed, Store, files_of
from farm.testing.ledger import JournalConformance

KEY = "00c0ffee" * 4
RESULTS = ("oof.parquet", "returns.parquet", "trials.parquet", "summary.json")
Tiny = Callable[..., Experiment]
Farm = Callable[..., tuple[int, str, str]]


class TestLedgerOnS3(JournalConformance):
    @pytest.fixture
    def journal(self, s3_home: str) -> FileJournal:
        return FileJournal(s3_home, "study")


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in RESULTS}


def test_results_come_back_from_an_object_store_and_are_written_once(s3_home: str, tmp_path: Path) -> None:
    store = Store(s3_home, cache=str(tmp_path)).create()
    x = np.arange(200_000.0)
    assert store.put_arrays("panels", KEY, {"x": x}, {"symbol": "NIFTY"})
    assert not store.put_arrays("panels", KEY, {"x": x + 1})
    opened = store.open_arrays("panels", KEY)
    assert np.array_equal(opened["x"], x)
    assert opened.meta == {"symbol": "NIFTY"}
    assert store.keys("panels") == {KEY}
    assert store.size("panels") > x.nbytes


def test_a_flipped_byte_on_an_object_store_is_found(s3_home: str, farm: Farm) -> None:
    store = Store(s3_home).create()
    for number in range(3):
        store.put_json("records", f"{number:032x}", {"rows": number})
    result = next(iter(store.stored("records")))
    content = bytearray(files_of(s3_home).read(result.file))
    content[3] ^= 1
    files_of(s3_home).replace(result.file, bytes(content))
    with pytest.raises(Damaged, match="checksum"):
        store.get_json("records", result.key)
    code, out, _ = farm("store", "verify", "--home", s3_home)
    assert code == 1
    assert f"{result.file}: its checksum does not fit its content" in out
    assert "3 results" in out


def test_a_run_on_an_object_store_leaves_the_same_bytes_as_on_disk(
    s3_home: str, tmp_path: Path, tiny: Tiny, farm: Farm
) -> None:
    there, here = run(tiny(s3_home)), run(tiny(tmp_path))
    found = run_at(s3_home, "tiny")
    assert found.run_id == there.folder.run_id
    assert contents(found.fetch()) == contents(here.folder.path)
    kept = files_of(s3_home).names(found.name)
    assert {*RESULTS, "manifest.json", "experiment.yaml", "report.html", "log.jsonl"} <= set(kept)
    (row,) = list_runs(s3_home)
    assert (row["status"], row["run_id"], row["fits"]) == ("done", found.run_id, 36)
    assert row["folder"] == f"{s3_home}/runs/tiny/{found.run_id}"
    assert farm("ledger", "verify", "--home", s3_home)[:2] == (0, "tiny/SYN-A: in order\n")
    assert farm("store", "verify", "--home", s3_home)[0] == 0
    code, out, _ = farm("report", "tiny", "--home", s3_home)
    assert (code, out.strip()) == (0, f"{found.place}/report.html")
    assert run(tiny(s3_home)).fits["reused"] == 36


@pytest.mark.slow
def test_a_run_killed_on_an_object_store_goes_on_and_ends_in_the_same_bytes(
    s3_home: str, tmp_path: Path, tiny: Tiny
) -> None:
    experiment = tiny(s3_home, models={f"m{at}": {"uses": "logistic", "params": {"C": 10.0**-at}} for at in range(4)})
    store = Store(s3_home)
    with started(experiment, tmp_path) as process:
        wait_for(lambda: len(store.keys("fits")) >= 2, process)
        process.send_signal(signal.SIGKILL)
    (row,) = list_runs(s3_home)
    assert row["status"] == "stopped"
    resumed = run(experiment)
    assert resumed.folder.run_id == row["run_id"]
    assert resumed.fits["reused"] >= 2
    whole = run(tiny(tmp_path / "home", models=experiment.model_dump(mode="json")["models"]))
    assert contents(resumed.folder.path) == contents(whole.folder.path)
    assert [Ledger(s3_home, study).verify() for study in studies(s3_home)] == [[]]
    assert len(all_trials(s3_home)) == len(all_trials(str(tmp_path / "home")))


def test_a_dead_object_store_is_told_and_loses_nothing(s3_home: str, s3_server, tmp_path: Path, farm: Farm) -> None:
    store = Store(s3_home, cache=str(tmp_path)).create()
    store.put_json("records", KEY, {"rows": 3})
    s3_server.stop()
    try:
        with pytest.raises(HomeFailed, match=r"records/.*json: the home failed .*the same command again"):
            store.put_json("records", KEY[::-1], {"rows": 4})
        code, _, err = farm("runs", "--home", s3_home)
        assert (code, "Traceback" in err) == (1, False)
        assert "the home failed" in err
    finally:
        s3_server.start_again()
    assert store.keys("records") == {KEY}
    assert store.get_json("records", KEY) == {"rows": 3}
    assert store.put_json("records", KEY[::-1], {"rows": 4})


def started(experiment: Experiment, folder: Path) -> "subprocess.Popen[str]":
    file = folder / "experiment.yaml"
    with file.open("w", encoding="utf-8") as stream:
        YAML(typ="safe").dump(experiment.model_dump(mode="json"), stream)
    command = [sys.executable, "-m", "farm.cli", "run", str(file)]
    return subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for(there: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    until = time.monotonic() + 120
    while not there():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < until
        time.sleep(0.05)
