"""Nodes of a local cluster: each one `ray start --block`, a process group of its own that can be ended or killed."""

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_UP_SECONDS = 120
_STARTS = 3  # a port that was free may be taken by the time a node asks for it
_OBJECT_STORE = 128 * 1024**2
# A lost node is noticed in seconds instead of half a minute.
_QUICK_HEALTH = (
    '{"health_check_initial_delay_ms": 1000, "health_check_period_ms": 500, "health_check_timeout_ms": 2000, '
    '"health_check_failure_threshold": 4}'
)


@dataclass(frozen=True)
class Node:
    """One node by the process that started it and watches it, and when that began: numbers are given again."""

    process: int
    began: float

    def family(self) -> list[psutil.Process]:
        """All its processes that are alive, children first; none when it is gone."""
        try:
            root = psutil.Process(self.process)
            own = root.create_time() == self.began
            return [*reversed(root.children(recursive=True)), root] if own else []
        except psutil.NoSuchProcess:
            return []

    def workers(self) -> list[psutil.Process]:
        """Its worker processes that are at work on something."""
        return [one for one in self.family() if _title(one).startswith("ray::") and "IDLE" not in _title(one)]

    def kill(self) -> None:
        """What a power cut does to it."""
        for one in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()

    def stop(self) -> None:
        """End it in order; what does not go in ten seconds is killed."""
        family = self.family()
        for root in family[-1:]:
            with contextlib.suppress(psutil.NoSuchProcess):
                root.terminate()
        _, left = psutil.wait_procs(family, timeout=10)
        for one in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(left, timeout=10)


class LocalCluster:
    """A head with a dashboard and any number of further nodes, protected by this user's token."""

    def __init__(self, cpus: int = 1) -> None:
        self._cpus = cpus
        self.folder = Path(tempfile.mkdtemp(prefix="farm-ray-"))
        self.port, self.dashboard_port = _free_port(), _free_port()
        self.nodes: list[Node] = []
        self._numbers = itertools.count(1)
        self._started: list[subprocess.Popen[bytes]] = []

    @property
    def address(self) -> str:
        """Where drivers join."""
        return f"127.0.0.1:{self.port}"

    @property
    def dashboard(self) -> str:
        """Where jobs are submitted."""
        return f"http://127.0.0.1:{self.dashboard_port}"

    def up(self, nodes: int = 2) -> Self:
        """Start the head and all further nodes."""
        _make_token()
        self.add(
            "--head", f"--port={self.port}", "--dashboard-host=127.0.0.1", f"--dashboard-port={self.dashboard_port}",
            f"--system-config={_QUICK_HEALTH}",
        )  # fmt: skip
        for _ in range(nodes - 1):
            self.add()
        _until(lambda: _listens(self.dashboard_port), "the dashboard did not start")
        return self

    def add(self, *options: str) -> Node:
        """One more node; without options one that joins the head."""
        for _ in range(_STARTS):
            process, log = self._begin(*options)
            if _comes_up(process, log):
                self.nodes.append(Node(process.pid, psutil.Process(process.pid).create_time()))
                return self.nodes[-1]
        raise RuntimeError(f"a node did not start in {_STARTS} attempts: {log.read_text()[-2000:]}")

    def _begin(self, *options: str) -> tuple[subprocess.Popen[bytes], Path]:
        # A folder of its own, as on a machine of its own: nodes that share one unpack a job's files over one another.
        name = f"node{next(self._numbers)}"
        log, own = self.folder / f"{name}.log", self.folder / name
        with log.open("xb") as file:
            process = subprocess.Popen(
                [
                    _script("ray"), "start", "--block", f"--num-cpus={self._cpus}", "--disable-usage-stats",
                    f"--object-store-memory={_OBJECT_STORE}", f"--dashboard-agent-listen-port={_free_port()}",
                    f"--temp-dir={own}", *(options or (f"--address={self.address}",)),
                ],
                env=environment(), stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
            )  # fmt: skip
        self._started.append(process)
        return process, log

    def drop(self, node: Node) -> None:
        """Lose a node as in a power cut."""
        self.nodes.remove(node)
        node.kill()

    def down(self) -> None:
        """Stop all nodes and remove what they wrote."""
        for node in reversed(self.nodes):
            node.stop()
        for process in self._started:
            process.kill()  # one that never came up is no node yet
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.up()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()


def environment() -> dict[str, str]:
    """The environment of every process of the cluster and of its drivers."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "RAY_AUTH_MODE": "token", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


def _make_token() -> None:
    """The token of this user, made where there is none: all parts of the cluster and its drivers read it."""
    subprocess.run([_script("ray"), "get-auth-token", "--generate"], env=environment(), capture_output=True, check=True)


def _script(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def _comes_up(node: subprocess.Popen[bytes], log: Path) -> bool:
    """Whether a node says that it has started, before it ends or its time is over."""
    deadline = time.monotonic() + _UP_SECONDS
    while node.poll() is None and time.monotonic() < deadline:
        if b"Ray runtime started" in log.read_bytes():
            return True
        time.sleep(0.1)
    return False


def _until(done: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _UP_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError(otherwise)
        time.sleep(0.1)
