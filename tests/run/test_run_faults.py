"""The table of faults: what an error is taken for, how patient Farm is, and what a start finds that was overtaken."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ray.exceptions import NodeDiedError, OutOfMemoryError, WorkerCrashedError

from farm.config import Experiment
from farm.errors import BadInput, Failed
from farm.run import forecast, run
from farm.run.executor import InProcess, Work
from farm.run.faults import (
    BAD_INPUT,
    FAULTS,
    HOME_UNREACHABLE,
    INTERRUPTED,
    NODE_DIED,
    OUT_OF_MEMORY,
    OWN_FAULT,
    WAITS,
    WORKER_DIED,
    Fault,
    fault_of,
    patiently,
    table,
)  # fmt: skip
from farm.run.plan import FitChunk
from farm.run.work import fit_chunk
from farm.store import Store

ROOT = Path(__file__).parents[2]


def experiment(home: Path) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "small",
            "seed": 1,
            "home": str(home),
            "bars": {"source": "synthetic", "years": 0.3, "markets": {"SYN-A": {"edge": 0.2}}},
            "decisions": {"timeframe": "5min", "events": {"kind": "cusum", "threshold": 4}},
            "features": {"preset": "small", "keep": 20},
            "labels": {"kind": "triple_barrier", "up": 2, "down": 2, "max_bars": 24},
            "folds": {"kind": "cpcv", "groups": 4},
            "models": {"linear": {"uses": "logistic"}},
            "backtest": {"capital": 100000},
            "execution": {"on": "process"},
            "track": None,
        }
    )


def test_the_page_shows_the_table_that_the_code_reads() -> None:
    assert table() in (ROOT / "docs" / "faults.md").read_text()


def test_every_fault_has_a_name_of_its_own_and_at_least_one_attempt() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert all(fault.attempts >= 1 and fault.alone <= fault.attempts for fault in FAULTS)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (BadInput("x"), BAD_INPUT),
        (MemoryError(), OUT_OF_MEMORY),
        (OutOfMemoryError("killed"), OUT_OF_MEMORY),
        (WorkerCrashedError(), WORKER_DIED),
        (NodeDiedError("gone"), NODE_DIED),
        (ConnectionResetError(), HOME_UNREACHABLE),
        (OSError(28, "No space left on device"), HOME_UNREACHABLE),
        (KeyboardInterrupt(), INTERRUPTED),
        (ZeroDivisionError(), OWN_FAULT),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else type(value).__name__,
)
def test_an_error_is_taken_for_its_row(error: BaseException, fault: Fault) -> None:
    assert fault_of(error) is fault


def failing(times: int, error: Exception) -> Callable[[], str]:
    errors = [error] * times

    def call() -> str:
        if errors:
            raise errors.pop()
        return "answer"

    return call


def test_a_home_that_comes_back_in_time_is_waited_for() -> None:
    waited: list[float] = []
    assert patiently(failing(len(WAITS), ConnectionError("no route")), waited.append) == "answer"
    assert waited == list(WAITS)


def test_a_home_that_stays_away_stops_the_run() -> None:
    with pytest.raises(Failed, match=r"no route.*tried 4 times"):
        patiently(failing(4, ConnectionError("no route")), lambda seconds: None)


def test_only_an_unreachable_home_is_waited_for() -> None:
    with pytest.raises(KeyError):
        patiently(failing(1, KeyError("x")), lambda seconds: pytest.fail("waited"))


def test_a_run_whose_home_cannot_be_written_stops_and_goes_on_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farm.run.faults.WAITS", (0.0, 0.0, 0.0))
    in_the_way = tmp_path / "fits"
    in_the_way.write_text("a file where the folder of the fits should be")
    with pytest.raises(Failed, match="goes on where it stopped"):
        run(experiment(tmp_path))
    in_the_way.unlink()
    assert run(experiment(tmp_path)).fits["failed"] == 0
    assert len(list(tmp_path.glob("runs/small/2*"))) == 1, "the same run went on"


def test_a_fit_without_memory_is_not_taken_for_a_failing_model() -> None:
    told: list[Fault] = []
    work = Work("eat", eat, str, lambda spec, said: f"lost: {said}", lambda *heard: told.append(heard[1]))
    assert list(InProcess(1).map(work, [0, 1])) == ["eaten", "lost: out of memory after 1 attempt: too much"]
    assert told == [OUT_OF_MEMORY]


def eat(amount: int) -> str:
    if amount:
        raise MemoryError("too much")
    return "eaten"


def test_what_a_later_start_has_taken_over_is_not_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[FitChunk] = []
    monkeypatch.setattr("farm.run.fitting.fit_chunk", lambda chunk: sent.append(chunk) or fit_chunk(chunk))
    run(experiment(tmp_path))
    store, chunk = Store(str(tmp_path)), sent[0]
    assert fit_chunk(chunk).outcome == "reused"
    store.discard("fits", chunk.key)
    of_an_earlier_start = replace(chunk, start=chunk.start - 1)
    assert fit_chunk(of_an_earlier_start).outcome == "overtaken"
    assert not store.has("fits", chunk.key)
    assert fit_chunk(chunk).outcome == "stored"


def test_a_fit_that_is_overtaken_while_it_runs_is_not_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[FitChunk] = []
    monkeypatch.setattr("farm.run.fitting.fit_chunk", lambda chunk: sent.append(chunk) or fit_chunk(chunk))
    folder = run(experiment(tmp_path)).folder
    chunk = sent[0]
    Store(str(tmp_path)).discard("fits", chunk.key)

    def overtaken_meanwhile(*args: object, **options: object) -> object:
        from farm.fit import fit

        folder.update_manifest(starts=chunk.start + 1)
        return fit(*args, **options)

    monkeypatch.setattr("farm.run.work.fit", overtaken_meanwhile)
    assert fit_chunk(chunk).outcome == "overtaken"
    assert not Store(str(tmp_path)).has("fits", chunk.key)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Processes started here hear Ctrl-C, also where a shell has put the tests in its background, which does not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_run_says_so_and_goes_on_later(tmp_path: Path) -> None:
    from ruamel.yaml import YAML

    file = tmp_path / "small.yaml"
    slow = {"forest": {"uses": "random_forest", "params": {"n_estimators": 100}}}  # seconds in which to interrupt it
    YAML(typ="safe").dump(experiment(tmp_path / "home").model_dump(mode="json") | {"models": slow}, file)
    command = [sys.executable, "-m", "farm.cli", "run", str(file)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=ROOT)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("home/runs/*/*/log.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED.exit_code, errors
    assert "interrupted" in errors
    assert "Traceback" not in errors
    assert subprocess.run(command, capture_output=True, cwd=ROOT, check=False, timeout=120).returncode == 0
    assert len(list(tmp_path.glob("home/runs/small/2*"))) == 1
    assert (tmp_path / "home/runs/small/latest").is_symlink()


def test_planning_says_which_model_fails_and_how(tmp_path: Path) -> None:
    broken = {"uses": "sklearn.linear_model.LogisticRegression", "params": {"C": -1.0}}
    given = experiment(tmp_path).model_dump(mode="json") | {"models": {"broken": broken}}
    with pytest.raises(Failed, match="LogisticRegression fails in a trial fit: InvalidParameterError: The 'C'"):
        forecast(Experiment.model_validate(given))
