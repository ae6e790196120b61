"""Where the workers of a LightGBM fit listen for each other: addresses that Ray Train hands to all of them.

Ray's own LightGBMTrainer looks for a free port on each worker and lets it go at once, long before LightGBM binds it.
Here every worker keeps its ports bound, one for each job, until the moment at which LightGBM takes the next of them. A
port that is lost in that moment all the same fails the worker, and Ray Train begins again with others.
"""

import socket
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.train.backend import Backend, BackendConfig


@dataclass
class _Own:
    """What this worker's process holds: its bound ports, and by job where every worker listens, in their order."""

    bound: list[socket.socket] = field(default_factory=list)
    machines: list[list[str]] = field(default_factory=list)


_OWN = _Own()


@dataclass
class Linked(BackendConfig):
    """Workers that know by job where each of them listens."""

    n_jobs: int = 1

    @property
    def backend_cls(self) -> type["_Linking"]:
        """What tells them."""
        return _Linking


class _Linking(Backend):
    def on_training_start(self, worker_group: Any, backend_config: BackendConfig) -> None:
        """Bind on every worker, and tell all of them where."""
        assert isinstance(backend_config, Linked)
        by_worker = worker_group.execute(bind, backend_config.n_jobs)
        worker_group.execute(told, [list(machines) for machines in zip(*by_worker, strict=True)])


def bind(n_jobs: int) -> list[str]:
    """Bind a free port of this worker for every job, and say where they are."""
    _OWN.bound = [socket.socket() for _ in range(n_jobs)]
    for one in _OWN.bound:
        one.bind(("", 0))
    host = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]  # Ray gives it no types
    return [f"{host}:{one.getsockname()[1]}" for one in _OWN.bound]


def told(machines: list[list[str]]) -> None:
    """Keep where the workers listen, by job."""
    _OWN.machines = machines


def link(job: int) -> dict[str, Any]:
    """LightGBM's parameters under which the workers find each other; this worker's port is let go with the call."""
    own, machines = _OWN.bound[job], _OWN.machines[job]
    port = own.getsockname()[1]
    own.close()
    return {"machines": ",".join(machines), "num_machines": len(machines), "local_listen_port": port}
