"""Every fault that can befall a worker of Ray, brought about for real, and what the table says is done."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from farm.config import Execution
from farm.errors import BadInput, Failed
from farm.run.executor import Work
from farm.run.faults import OUT_OF_MEMORY, WORKER_DIED, Fault
from farm.run.on_ray import OnRay

# Ray warns of its own settings, as it sets them.
pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")]


@pytest.fixture(scope="module")
def ray_of_two_cpus() -> Iterator[OnRay]:
    executor = OnRay(Execution(workers=2), threads=1)
    yield executor
    executor.close()


@dataclass(frozen=True)
class Task:
    """Fails in its own way the first ``failures`` times it is tried; every attempt leaves a file behind."""

    number: int
    folder: str
    how: str = "well"
    failures: int = 99

    def tries(self) -> int:
        return len(list(Path(self.folder).glob(f"{self.number}-*")))

    def note(self) -> int:
        mark = self.tries() + 1
        Path(self.folder, f"{self.number}-{mark}").touch()
        return mark


def work_on(task: Task) -> tuple[int, float]:
    """The task's number, and the CPUs that the attempt had for itself."""
    import ray

    if task.note() <= task.failures:
        match task.how:
            case "exit":
                os._exit(1)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "memory":
                raise MemoryError("8 TiB")
            case "input":
                raise BadInput("row 3 is wrong")
            case "bug":
                raise KeyError("farm")
    return task.number, float(ray.get_runtime_context().get_assigned_resources()["CPU"])


def lost(task: Task, said: str) -> tuple[int, float]:
    return task.number, -1.0


Told = list[tuple[str, Fault, int]]


def work(told: Told) -> Work[Task, tuple[int, float]]:
    def tell(label: str, fault: Fault, attempt: int, error: str) -> None:
        told.append((label, fault, attempt))

    return Work("test tasks", work_on, lambda task: f"task {task.number}", lost, tell)


def among_others(folder: Path, how: str, failures: int = 99) -> list[Task]:
    """Ten tasks, of which number 3 fails."""
    return [Task(n, str(folder), *((how, failures) if n == 3 else ())) for n in range(10)]


@pytest.mark.parametrize("how", ["exit", "kill"])
def test_a_worker_that_dies_once_costs_nobody_a_result(how: str, tmp_path: Path, ray_of_two_cpus: OnRay) -> None:
    told: Told = []
    tasks = among_others(tmp_path, how, failures=1)
    answers = dict(ray_of_two_cpus.map(work(told), tasks))
    assert sorted(answers) == list(range(10))
    assert min(answers.values()) > 0, "nothing was given up"
    assert tasks[3].tries() == 2
    assert {fault for _, fault, _ in told} == {WORKER_DIED}


def test_a_spec_that_kills_every_worker_is_given_up_and_does_not_loop(tmp_path: Path, ray_of_two_cpus: OnRay) -> None:
    told: Told = []
    tasks = among_others(tmp_path, "exit")
    answers = dict(ray_of_two_cpus.map(work(told), tasks))
    assert sorted(answers) == list(range(10))
    assert [number for number, cpus in answers.items() if cpus < 0] == [3]
    assert tasks[3].tries() == WORKER_DIED.attempts
    assert ("task 3", WORKER_DIED, WORKER_DIED.attempts) in told
    assert ray_of_two_cpus.describe()["faults"]["worker died"] >= WORKER_DIED.attempts


def test_what_runs_out_of_memory_is_tried_again_alone_with_all_cpus_of_a_node(
    tmp_path: Path, ray_of_two_cpus: OnRay
) -> None:
    told: Told = []
    answers = dict(ray_of_two_cpus.map(work(told), among_others(tmp_path, "memory", failures=1)))
    assert answers.pop(3) == 2.0
    assert set(answers.values()) == {1.0}
    assert told == [("task 3", OUT_OF_MEMORY, 1)]


def test_what_never_gets_its_memory_is_given_up(tmp_path: Path, ray_of_two_cpus: OnRay) -> None:
    tasks = among_others(tmp_path, "memory")
    assert dict(ray_of_two_cpus.map(work([]), tasks))[3] == -1.0
    assert tasks[3].tries() == OUT_OF_MEMORY.attempts


def test_bad_input_found_by_a_worker_stops_the_run_as_bad_input(tmp_path: Path, ray_of_two_cpus: OnRay) -> None:
    with pytest.raises(BadInput, match="row 3 is wrong"):
        list(ray_of_two_cpus.map(work([]), among_others(tmp_path, "input")))


def test_a_fault_of_farms_own_stops_the_run_with_its_traceback(tmp_path: Path, ray_of_two_cpus: OnRay) -> None:
    with pytest.raises(Failed, match=r"(?s)Traceback.*work_on.*KeyError: 'farm'"):
        list(ray_of_two_cpus.map(work([]), among_others(tmp_path, "bug")))


def test_work_that_cannot_do_without_a_result_fails_when_one_is_given_up(
    tmp_path: Path, ray_of_two_cpus: OnRay
) -> None:
    unforgiving = Work("judge tasks", work_on, lambda task: f"task {task.number}")
    with pytest.raises(Failed, match="judge tasks: task 3: worker died after 5 attempts"):
        list(ray_of_two_cpus.map(unforgiving, among_others(tmp_path, "exit")))


def test_every_worker_of_a_block_is_named_after_its_spec(tmp_path: Path, ray_of_two_cpus: OnRay) -> None:
    titled = Work("test titles", title_of, lambda task: f"SYN-A/boosted/{task.number}")
    titles = set(ray_of_two_cpus.map(titled, [Task(n, str(tmp_path)) for n in range(4)]))
    assert titles == {f"ray::test_titles SYN-A/boosted/{n}" for n in range(4)}


def title_of(task: Task) -> str:
    return Path("/proc/self/cmdline").read_bytes().partition(b"\0")[0].decode().strip()


@pytest.mark.slow
def test_a_worker_that_ray_kills_for_memory_is_known_as_such(tmp_path: Path) -> None:
    """In a Ray of its own, whose memory monitor is told that little more than what is used now may be used."""
    import subprocess
    import sys

    script = tmp_path / "script.py"
    script.write_text(GREEDY)
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=280, check=False,
        env={**os.environ, "PYTHONPATH": root, "RAY_AUTH_MODE": "token", "RAY_memory_monitor_refresh_ms": "50"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # Whether the last attempt is killed too depends on what others on this machine use by then.
    assert "Fault(name='out of memory'" in done.stdout


GREEDY = """
import os, time, psutil
memory = psutil.virtual_memory()
os.environ["RAY_memory_usage_threshold"] = str(1 - memory.available / memory.total + 2.5 * 2**30 / memory.total)
import numpy as np
from farm.config import Execution
from farm.run.executor import Work
from farm.run.on_ray import OnRay

def greedy(size):
    kept = [np.ones(2**25) for _ in range(size)]
    time.sleep(4 if size else 0)
    return len(kept)

executor = OnRay(Execution(workers=2), threads=1)
work = Work("eat", greedy, str, lambda size, said: said, lambda *told: print(*told, flush=True))
print(*executor.map(work, [0, 20, 0]))
executor.close()
"""


def test_a_node_that_leaves_while_it_is_asked_has_nothing_to_prove(ray_of_two_cpus, monkeypatch, tmp_path):
    """A driver that starts again right after a node's death still finds it among the living for a moment."""
    from farm.run import nodes

    assert list(ray_of_two_cpus.map(work([]), [Task(0, str(tmp_path.parent))])), "Ray starts with the first task"
    living = nodes._alive()
    gone = {**living[0], "NodeID": "ab" * 28, "NodeManagerAddress": "192.0.2.9"}
    seen = iter([[*living, gone]])
    monkeypatch.setattr(nodes, "_alive", lambda: next(seen, living))
    nodes.prove_shared(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(nodes, "_alive", lambda: [gone])
    with pytest.raises(BadInput, match=r"192\.0\.2\.9"):
        nodes.prove_shared(str(tmp_path))
