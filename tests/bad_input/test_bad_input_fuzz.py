"""Whatever is broken in an experiment or a data file, `farm check` says what is wrong, or the file is accepted."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.bad_input.breakages import broken_csv, broken_parquet, broken_text

Case = Any
Invoke = Callable[[Sequence[str]], int]
CaseOf = Callable[[str], Case]

FEW, MANY, RUN = 40, 500, 20


def broken_experiments(case: Case, count: int) -> list[Path]:
    files = []
    for seed in range(count):
        file = case.folder / f"broken-{seed}.yaml"
        file.write_bytes(broken_text(case.text, Random(seed)))
        files.append(file)
    return files


def accepts(invoke: Invoke, file: Path, capsys: pytest.CaptureFixture[str], arguments: Sequence[str] = ()) -> bool:
    """Whether the check accepts; a refusal has one message on one line or a list of faults, never a traceback."""
    code = invoke(["check", str(file), *arguments])
    said = capsys.readouterr()
    assert code in (0, 2), f"{file.name}: exit {code}\n{said.err}"
    if code == 2:
        assert said.err.startswith("farm: "), f"{file.name}: {said.err}"
        assert "Traceback" not in said.err
        assert len(said.err) > len("farm: \n") + 10, f"{file.name}: {said.err}"
    return code == 0


def check_experiments(count: int, case_of: CaseOf, invoke: Invoke, capsys: pytest.CaptureFixture[str]) -> list[Path]:
    files = broken_experiments(case_of("synthetic"), count)
    return [file for file in files if accepts(invoke, file, capsys)]


def check_data_files(count: int, case_of: CaseOf, invoke: Invoke, capsys: pytest.CaptureFixture[str]) -> int:
    accepted = 0
    for kind, breaking in (("csv", broken_csv), ("parquet", broken_parquet)):
        case = case_of(kind)
        sound = case.data.read_bytes()
        for seed in range(count // 2):
            case.data.write_bytes(breaking(sound, Random(seed)))
            accepted += accepts(
                invoke, case.data, capsys, ["--timeframe", "5min", "--stamp", "open", "--instrument", "synthetic"]
            )
    return accepted


def test_a_broken_experiment_is_refused_with_a_message_or_accepted(
    case_of: CaseOf, invoke: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    accepted = check_experiments(FEW, case_of, invoke, capsys)
    assert len(accepted) < FEW


def test_a_broken_data_file_is_refused_with_a_message_or_accepted(
    case_of: CaseOf, invoke: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check_data_files(FEW, case_of, invoke, capsys) < FEW


@pytest.mark.slow
def test_five_hundred_broken_experiments_and_twenty_that_are_accepted_run_to_an_end(
    case_of: CaseOf, invoke: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    accepted = check_experiments(MANY, case_of, invoke, capsys)
    assert RUN <= len(accepted) < MANY
    for file in accepted[:RUN]:
        code = invoke(["run", str(file)])
        said = capsys.readouterr()
        assert code == 0, f"{file.name}: exit {code}\n{said.err}"
    sys.stderr.write(f"{MANY - len(accepted)} of {MANY} experiments refused, {RUN} accepted ones run\n")


@pytest.mark.slow
def test_five_hundred_broken_data_files(case_of: CaseOf, invoke: Invoke, capsys: pytest.CaptureFixture[str]) -> None:
    accepted = check_data_files(MANY, case_of, invoke, capsys)
    assert accepted < MANY
    sys.stderr.write(f"{MANY - accepted} of {MANY} data files refused\n")
