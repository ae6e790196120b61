"""A run whose home is on a disk that gets full: told, nothing half written, and it goes on when there is space."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farm.config import Experiment
from farm.errors import Failed
from farm.ledger import Ledger, studies
from farm.run import list_runs, run
from farm.store import Store

RESULTS = ("oof.parquet", "returns.parquet", "trials.parquet", "summary.json")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A filesystem of its own, made or made larger."""
    place = tmp_path / "disk"
    place.mkdir()

    def sized(size: str) -> Path:
        again = "remount," if place.is_mount() else ""
        command = ["mount", "-t", "tmpfs", "-o", f"{again}size={size}", "none", str(place)]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("no filesystem can be mounted here")
        return place

    yield sized
    if place.is_mount():
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize(
    "size", ["300k", "1800k", "2180k", "4m"]
)  # full at the panel, the tables, the files, the report
def test_a_run_on_a_full_disk_stops_with_a_message_and_goes_on_when_there_is_space(
    size: str, disk: Callable[[str], Path], tmp_path: Path, tiny: Callable[..., Experiment], monkeypatch
) -> None:
    monkeypatch.setattr("farm.run.faults.WAITS", (0.0,))
    home = disk(size)
    with pytest.raises(Failed, match=r"No space left.*same command"):
        run(tiny(home))
    assert [path for path in home.rglob("*") if path.name.startswith(".") and path.is_file()] == []
    store = Store(str(home))
    assert [store.damage(result) for kind in store.kinds() for result in store.stored(kind)].count(None) == sum(
        1 for kind in store.kinds() for _ in store.stored(kind)
    )
    assert [Ledger(str(home), study).verify() for study in studies(str(home))] in ([], [[]])
    assert all(row["status"] in ("running", "stopped") for row in list_runs(str(home)))
    assert not list(home.rglob("report.html"))
    disk("64m")
    done, whole = run(tiny(home)), run(tiny(tmp_path / "home"))
    assert done.folder.manifest()["status"] == "done"
    for name in RESULTS:
        assert (done.folder.path / name).read_bytes() == (whole.folder.path / name).read_bytes()
