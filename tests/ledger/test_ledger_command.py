"""``farm ledger``: deletion, edit and truncation are each found; counts and looks are shown."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from farm.cli import main
from farm.ledger import Ledger, LockboxOpening, open_lockbox
from farm.testing.ledger import a_trial

Farm = Callable[..., tuple[int, str, str]]


@pytest.fixture
def farm(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Farm:
    monkeypatch.setenv("FARM_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(arguments)
        return (end.value.code, *capsys.readouterr())

    return command


@pytest.fixture
def segments(tmp_path: Path) -> list[Path]:
    """Three segments of a study, and a run's manifest that knows the last one."""
    ledger = Ledger(str(tmp_path), "real")
    ledger.start([a_trial("aa"), a_trial("bb")])
    ledger.fail("bb", "no memory")
    ledger.finish("aa", returns_key="00ab00ab")
    run = tmp_path / "runs" / "real" / "r1"
    run.mkdir(parents=True)
    (run / "manifest.json").write_text(json.dumps({"ledger_heads": {"real": ledger.head()}}))
    return sorted((tmp_path / "ledger" / "real").iterdir())


def test_a_whole_ledger_is_in_order(farm: Farm, segments: list[Path]) -> None:
    assert farm("ledger", "verify") == (0, "real: in order\n", "")


def test_a_deleted_segment_is_found(farm: Farm, segments: list[Path]) -> None:
    segments[1].unlink()
    code, out, _ = farm("ledger", "verify")
    assert code == 1
    assert "segment 2 is missing" in out


def test_an_edited_segment_is_found(farm: Farm, segments: list[Path]) -> None:
    segments[0].write_bytes(segments[0].read_bytes().replace(b"boosted", b"blessed"))
    code, out, _ = farm("ledger", "verify")
    assert code == 1
    assert "segment 1 is cut short or edited" in out


def test_a_truncated_ledger_is_found_by_the_head_in_a_runs_manifest(farm: Farm, segments: list[Path]) -> None:
    segments[2].unlink()
    code, out, _ = farm("ledger", "verify")
    assert code == 1
    assert "is not in the chain: segments up to it were removed or rewritten" in out


def test_a_ledger_truncated_together_with_its_runs_is_found_by_a_head_kept_elsewhere(
    farm: Farm, segments: list[Path], tmp_path: Path
) -> None:
    head = json.loads((tmp_path / "runs" / "real" / "r1" / "manifest.json").read_text())["ledger_heads"]["real"]
    (tmp_path / "runs" / "real" / "r1" / "manifest.json").unlink()
    segments[2].unlink()
    assert farm("ledger", "verify")[0] == 0
    code, out, _ = farm("ledger", "verify", "--head", f"real={head}")
    assert code == 1
    assert head in out


def test_a_ledger_that_is_gone_is_found(farm: Farm, segments: list[Path]) -> None:
    for segment in segments:
        segment.unlink()
    segments[0].parent.rmdir()
    assert farm("ledger", "verify")[0] == 1


@pytest.mark.parametrize("said", ["real", "real=abc", "=" + "0" * 64])
def test_what_is_no_head_is_refused(farm: Farm, segments: list[Path], said: str) -> None:
    code, _, err = farm("ledger", "verify", "--head", said)
    assert code == 2
    assert "write STUDY=HASH" in err


def test_raw_and_effective_n_and_looks_at_the_lockbox_are_shown(
    farm: Farm, segments: list[Path], tmp_path: Path
) -> None:
    open_lockbox(str(tmp_path), "real", LockboxOpening("NIFTY", 0, 9, "boosted", "r1", opened_at=0))
    open_lockbox(str(tmp_path), "real", LockboxOpening("NIFTY", 0, 9, "boosted", "r2", opened_at=10**18, reason="typo"))
    code, out, _ = farm("ledger", "show", "--symbol", "NIFTY")
    assert code == 0
    assert "NIFTY (index): 2 candidates over the ledger's whole life (raw N), 2.0 independent ones (effective N)" in out
    assert "NIFTY: lockbox opened 1970-01-01 00:00 UTC for boosted of run r1\n" in out
    assert "for boosted of run r2; again, because: typo" in out
    shown = json.loads(farm("ledger", "show", "--json")[1])
    assert [trial["status"] for trial in shown["trials"]] == ["finished", "failed"]
    assert shown["counts"][0]["raw"] == 2
    assert len(shown["lockbox"]) == 2
    assert farm("ledger", "show", "--symbol", "OTHER")[1].count("NIFTY") == 0
