"""What may be pruned: never what a run or the ledger needs, never what was just written."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from farm.cli import main
from farm.errors import BadInput
from farm.ledger import Ledger
from farm.run.folder import RunFolder
from farm.run.needs import NEEDS, unneeded
from farm.store import Store, files_of
from farm.testing.ledger import a_trial

HOUR, DAY = 3600.0, 86400.0
Farm = Callable[..., tuple[int, str, str]]


def key(number: int) -> str:
    return f"{number:032x}"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Results of every kind that a run makes, ten of each."""
    store = Store(str(tmp_path)).create()
    for kind in ("panels", "fits", "oof", "returns", "trial_returns", "prepared", "calibration"):
        for number in range(10):
            store.put_json(kind, key(number), {"number": number})
    return store


@pytest.fixture
def farm(store: Store, capsys: pytest.CaptureFixture[str]) -> Farm:
    def command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([*arguments, "--home", store.home])
        return (end.value.code, *capsys.readouterr())

    return command


def aged(store: Store, seconds: float) -> None:
    then = time.time() - seconds
    for path in Path(store.home).rglob("*.json"):
        os.utime(path, (then, then))


def a_run(store: Store, run_id: str, **needs: list[str]) -> RunFolder:
    folder = RunFolder(files_of(store.home), f"runs/real/{run_id}")
    folder.write_json("manifest.json", {"run_id": run_id, "status": "done"})
    folder.write_json(NEEDS, {"panels": [], "fits": [], "oof": [], "returns": [], **needs})
    return folder


def doomed(store: Store, older_than: float = DAY) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for result in unneeded(store.home, older_than=older_than):
        found.setdefault(result.kind, set()).add(result.key)
    return found


def test_what_a_run_names_is_needed(store: Store) -> None:
    aged(store, 2 * DAY)
    a_run(store, "r1", fits=[key(1), key(2)], panels=[key(0)])
    a_run(store, "r2", fits=[key(2), key(3)], oof=[key(5)], returns=[key(5)])
    found = doomed(store)
    assert found["fits"] == {key(number) for number in range(10)} - {key(1), key(2), key(3)}
    assert key(0) not in found["panels"]
    assert key(5) not in found["oof"] | found["returns"]


def test_returns_that_the_ledger_names_are_needed_for_ever(store: Store) -> None:
    aged(store, 2 * DAY)
    ledger = Ledger(store.home, "real")
    ledger.start([a_trial("aa")])
    ledger.finish("aa", returns_key=key(4))
    ledger.finish("aa", returns_key=key(6))  # made again with other code; both stay
    assert doomed(store)["trial_returns"] == {key(number) for number in range(10)} - {key(4), key(6)}


def test_what_was_just_written_is_not_removed(store: Store) -> None:
    assert doomed(store) == {}
    aged(store, 2 * HOUR)
    assert doomed(store, DAY) == {}
    assert set(doomed(store, HOUR)) == {"panels", "fits", "oof", "returns", "trial_returns"}


def test_kinds_that_are_no_runs_are_not_looked_at(store: Store) -> None:
    aged(store, 2 * DAY)
    assert not {"prepared", "calibration"} & set(doomed(store))


def test_a_run_that_does_not_say_what_it_needs_stops_everything(store: Store) -> None:
    aged(store, 2 * DAY)
    RunFolder(files_of(store.home), "runs/real/r0").write_json("manifest.json", {"run_id": "r0"})
    with pytest.raises(BadInput, match=r"runs/real/r0: this run does not say which results it needs"):
        doomed(store)


def test_what_killed_writers_left_is_removed_and_what_a_writer_writes_is_not(store: Store, farm: Farm) -> None:
    dead = Path(store.home) / "panels" / "00" / f".{'ab' * 16}"
    alive = Path(store.home) / "panels" / "00" / f".{'cd' * 16}"
    for draft in (dead, alive):
        draft.write_bytes(b"half a panel")
    os.utime(dead, (0, 0))
    assert "drafts of killed writers: 1, 12 bytes" in farm("store", "prune", "--yes")[1]
    assert not dead.exists()
    assert alive.exists()


def test_pruning_tells_what_it_would_do_and_does_it_only_when_told(store: Store, farm: Farm) -> None:
    aged(store, 2 * DAY)
    a_run(store, "r1", fits=[key(1)])
    size = next(iter(store.stored("fits"))).size
    code, out, _ = farm("store", "prune")
    assert code == 0
    assert f"fits: 9, {9 * size} bytes" in out
    assert "would be removed; nothing was: say --yes to do it" in out
    assert len(store.keys("fits")) == 10
    code, out, _ = farm("store", "prune", "--yes")
    assert code == 0
    assert out.splitlines()[-1].startswith("removed ")
    assert f"({49 * size:,} bytes)" in out
    assert store.keys("fits") == {key(1)}
    assert len(store.keys("prepared")) == 10
    assert "nothing that was written more than 1d ago is unneeded" in farm("store", "prune")[1]


def test_old_copies_of_a_remote_home_go_although_a_run_needs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    remote = Store(f"memory://{tmp_path.name}/home").create()
    remote.put_arrays("panels", key(1), {"x": np.zeros(10)})
    remote.put_arrays("panels", key(2), {"x": np.ones(10)})
    for number in (1, 2):
        remote.open_arrays("panels", key(number))
    copies = remote.copies()
    assert copies is not None
    old, young = (Path(copies.home, one.file) for one in copies.stored("panels"))
    os.utime(old, (0, 0))
    a_run(remote, "r1", panels=[key(1), key(2)])
    with pytest.raises(SystemExit) as end:
        main(["store", "prune", "--yes", "--home", remote.home])
    assert end.value.code == 0
    assert (old.exists(), young.exists()) == (False, True)
    assert remote.keys("panels") == {key(1), key(2)}


@pytest.mark.parametrize(("said", "message"), [("5m", "such as 30d"), ("x", "such as 30d"), ("0h", "give 1h or more")])
def test_a_length_of_time_that_is_none_is_refused(farm: Farm, said: str, message: str) -> None:
    code, _, err = farm("store", "prune", "--older-than", said)
    assert code == 2
    assert message in err


def test_damage_is_found_told_and_on_request_removed(store: Store, farm: Farm) -> None:
    assert farm("store", "verify")[:2] == (0, f"70 results, {_size(store)}: all in order\n")
    path = Path(store.home) / "fits" / "00" / f"{key(7)}.json"
    path.write_bytes(path.read_bytes().replace(b"7", b"8", 1))
    code, out, _ = farm("store", "verify")
    assert code == 1
    assert f"fits/00/{key(7)}.json: its checksum does not fit its content" in out
    assert "--discard" in out
    assert farm("store", "verify", "--kind", "panels")[0] == 0
    assert farm("store", "verify", "--discard")[0] == 1
    assert farm("store", "verify")[0] == 0
    assert key(7) not in store.keys("fits")
    code, _, err = farm("store", "verify", "--kind", "fit")
    assert code == 2
    assert "there are calibration, fits" in err


def _size(store: Store) -> str:
    size = sum(result.size for kind in store.kinds() for result in store.stored(kind))
    return f"{size / 1024:.1f} KiB ({size:,} bytes)"
