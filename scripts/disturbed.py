"""One run on a cluster while workers, a node and its driver are killed, and what came of it beside an unbroken one."""

import contextlib
import json
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from cluster.local import LocalCluster
from cluster.local.nodes import environment
from farm.ledger import all_trials

ROOT = Path(__file__).parents[1]
STAGES = ("prepare_panels", "fit_chunks", "judge_studies", "Answering")  # the last answers a search's questions
RESULTS = ("oof.parquet", "returns.parquet", "summary.json", "trials.parquet")


@dataclass(frozen=True)
class Round:
    """What was done to one run, and how it ended."""

    seed: int
    seconds: float
    workers_killed: int
    nodes_killed: int
    drivers_killed: int
    attempts_lost: int
    equal: bool
    trials_exact: bool
    ledger_sound: bool
    computed_twice: int

    @property
    def passed(self) -> bool:
        """Whether everything that must hold held, and everything that had to be killed was."""
        held = self.equal and self.trials_exact and self.ledger_sound and not self.computed_twice
        return held and self.nodes_killed == 1 and self.drivers_killed == 2 and self.workers_killed > 0


@dataclass(frozen=True)
class Pace:
    """How often things are killed, in seconds."""

    worker_every: float = 20.0
    node_between: tuple[float, float] = (15.0, 60.0)
    driver_between: tuple[float, float] = (10.0, 45.0)
    node_returns_after: float = 5.0


class Driver:
    """``farm run`` on the cluster, in a process of its own."""

    def __init__(self, cluster: LocalCluster, file: Path, home: Path) -> None:
        self._home = home
        self.stored_before, self.events_before = stored_fits(home), len(events(home))
        self.log = home.with_suffix(".log")
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "farm.cli", "run", str(file), "--address", cluster.address],
                env={**environment(), "FARM_HOME": str(home)}, cwd=ROOT, stdout=log, stderr=log,
            )  # fmt: skip

    def kill(self) -> None:
        """End it as a power cut would; its workers are left to notice."""
        self.process.kill()
        self.process.wait()


def disturbed(cluster: LocalCluster, file: Path, home: Path, seed: int, expected: dict[str, Any], pace: Pace) -> Round:
    """Run, kill and start again until it is finished."""
    chance = random.Random(seed)
    killed: Counter[str] = Counter()
    started = time.monotonic()
    drivers = [Driver(cluster, file, home)]
    next_worker = started + chance.uniform(0.5, 1.0) * pace.worker_every
    next_node = started + chance.uniform(*pace.node_between)
    next_driver = started + chance.uniform(*pace.driver_between)
    node_returns = float("inf")
    while drivers[-1].process.poll() is None:
        time.sleep(0.1)
        now = time.monotonic()
        if now > next_worker and kill_a_worker(cluster, chance):
            killed["worker"] += 1
            next_worker = now + pace.worker_every
        if now > next_node and not killed["node"]:
            cluster.drop(cluster.nodes[-1])
            killed["node"] += 1
            node_returns = now + pace.node_returns_after
        if now > node_returns:
            cluster.add()
            node_returns = float("inf")
        if now > next_driver and killed["driver"] < 2 and fitting(home):
            drivers[-1].kill()
            killed["driver"] += 1
            drivers.append(Driver(cluster, file, home))
            next_driver = time.monotonic() + chance.uniform(*pace.driver_between)
    if node_returns < float("inf"):
        cluster.add()
    seconds = time.monotonic() - started
    if drivers[-1].process.returncode:
        raise RuntimeError(f"round {seed} failed: {drivers[-1].log.read_text()[-3000:]}")
    result = found(home)
    return Round(
        seed=seed,
        seconds=round(seconds, 1),
        workers_killed=killed["worker"],
        nodes_killed=killed["node"],
        drivers_killed=killed["driver"],
        attempts_lost=sum(event["event"] == "fault" for event in events(home)),
        equal=result["files"] == expected["files"],
        trials_exact=result["trials"] == expected["trials"],
        ledger_sound=not ledger_problems(home),
        computed_twice=computed_twice(home, drivers),
    )


def kill_a_worker(cluster: LocalCluster, chance: random.Random) -> bool:
    """Whether there was a worker at work to kill."""
    busy = sorted(
        (worker for node in cluster.nodes for worker in node.workers() if is_ours(worker)), key=lambda one: one.pid
    )
    if busy:
        with contextlib.suppress(psutil.NoSuchProcess):
            chance.choice(busy).kill()
    return bool(busy)


def is_ours(worker: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return any(stage in " ".join(worker.cmdline()) for stage in STAGES)
    return False


def fitting(home: Path) -> bool:
    """Whether the run has begun to fit: before that, killing the driver would only repeat its start."""
    return bool(stored_fits(home))


def stored_fits(home: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in home.glob("fits/*/*") if not path.name.startswith(".")}


def events(home: Path) -> list[dict[str, Any]]:
    """What all starts logged; a line that a kill cut short is no event."""
    found: list[dict[str, Any]] = []
    for log in sorted(home.glob("runs/chaos/2*/log.jsonl")):
        for line in log.read_text().splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                found.append(json.loads(line))
    return found


def computed_twice(home: Path, drivers: list[Driver]) -> int:
    """Fits that a start computed although they had been stored before it began, or that were computed in two starts."""
    told = events(home)
    computed = Counter(event["key"] for event in told if computes(event))
    twice = {key for key, times in computed.items() if times > 1}
    for driver in drivers:
        since = {event["key"] for event in told[driver.events_before :] if computes(event)}
        twice |= since & driver.stored_before
    return len(twice)


def computes(event: dict[str, Any]) -> bool:
    """Whether a start says here that it computed fits and stored them."""
    return bool(event["event"] == "chunk" and event["outcome"] == "stored")


def found(home: Path) -> dict[str, Any]:
    folder = home / "runs" / "chaos" / "latest"
    trials = sorted((one.identity, one.begun.name, one.role, one.status) for one in all_trials(str(home)))
    return {"files": {name: (folder / name).read_bytes() for name in RESULTS}, "trials": trials}


def ledger_problems(home: Path) -> str:
    command = [sys.executable, "-m", "farm.cli", "ledger", "verify", "--home", str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    return done.stdout + done.stderr if done.returncode else ""
