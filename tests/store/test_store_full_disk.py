"""A disk that is full, or a file too large for it, leaves the home as it was: readable, nothing half written."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from farm.ledger import Ledger
from farm.store import HomeFailed, Store
from farm.testing.ledger import a_trial

KEY = "00c0ffee" * 4

WRITES_TOO_MUCH = """
import resource, sys
import numpy as np
from farm.store import HomeFailed, Store
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    Store(sys.argv[1]).put_arrays("panels", sys.argv[2], {"x": np.zeros(100_000)})
except HomeFailed as error:
    print(error)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no filesystem can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(file: Path) -> None:
    """Write until there is no space."""
    with pytest.raises(OSError, match="No space left"):
        file.write_bytes(bytes(1_000_000))


def drafts(folder: Path) -> list[Path]:
    return [path for path in folder.rglob(".*") if path.is_file()]


def test_a_result_that_does_not_fit_on_the_disk_is_told_and_leaves_nothing(small_disk: Path) -> None:
    store = Store(str(small_disk)).create()
    store.put_json("records", KEY, {"rows": 3})
    with pytest.raises(
        HomeFailed, match=r"panels/00/.*: the home failed \(OSError: .*No space left.*same command again"
    ):
        store.put_arrays("panels", KEY, {"x": np.zeros(100_000)})
    assert not store.has("panels", KEY)
    assert drafts(small_disk) == []
    assert store.get_json("records", KEY) == {"rows": 3}
    assert store.put_arrays("panels", KEY, {"x": np.zeros(100)})


def test_a_full_disk_leaves_the_ledger_whole_and_it_goes_on_when_there_is_space(small_disk: Path) -> None:
    ledger = Ledger(str(small_disk), "study")
    ledger.start([a_trial("aa")])
    ballast = small_disk / "ballast"
    fill(ballast)
    with pytest.raises(HomeFailed, match="No space left"):
        ledger.start([a_trial(f"{number:04x}") for number in range(100)])
    assert Ledger(str(small_disk), "study").verify([ledger.head()]) == []
    assert [trial.identity for trial in Ledger(str(small_disk), "study").replay()] == ["aa"]
    ballast.unlink()
    assert len(ledger.start([a_trial("bb")])) == 1
    assert Ledger(str(small_disk), "study").verify() == []


def test_a_file_beyond_the_limit_of_its_process_is_told_alike(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITES_TOO_MUCH, str(tmp_path), KEY]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"{KEY}.arrays: the home failed (OSError: [Errno 27] File too large" in said
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
