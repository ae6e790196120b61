"""What Farm asks of a Ray cluster's nodes: how large they are, and whether all of them see the same home."""

import uuid
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from farm.errors import BadInput
from farm.store import files_of

_PROBES = 3  # a worker may be killed while it answers


@dataclass(frozen=True)
class Nodes:
    """CPUs of all living nodes and of the largest one, and the memory of the smallest one that has any (bytes)."""

    cpus: int
    most_cpus: int
    memory: int


def nodes() -> Nodes:
    """The nodes that are alive now."""
    alive = [node["Resources"] for node in _alive()]
    cpus = [int(one.get("CPU", 0)) for one in alive]
    return Nodes(
        cpus=max(1, sum(cpus)),
        most_cpus=max([1, *cpus]),
        memory=min((int(one.get("memory", 0)) for one in alive if one.get("CPU")), default=0),
    )


def prove_shared(home: str) -> None:
    """BadInput unless every node with CPUs reads what this process writes into the home, and the other way round."""
    files, probe = files_of(home), f".probe-{uuid.uuid4().hex}"
    try:
        files.write(probe, [b"farm"])
        for node in _alive():
            if node["Resources"].get("CPU"):
                _prove_node(home, probe, node)
    finally:
        files.remove(probe)


def _prove_node(home: str, probe: str, node: dict[str, Any]) -> None:
    """BadInput unless the node shares the home; a node that leaves while it is asked has nothing to prove."""
    files, answer = files_of(home), f"{probe}-{node['NodeID']}"
    there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    try:
        options: dict[str, Any] = {"num_cpus": 0, "max_retries": _PROBES - 1, "scheduling_strategy": there}
        found = ray.get(ray.remote(_answer_probe).options(**options).remote(home, probe, answer))
        if found != "" or not files.exists(answer):
            raise BadInput(
                f"home {home} is not shared: the cluster's node {node['NodeManagerAddress']} "
                f"{found or 'writes it where this process does not see it'}; give a path that all nodes mount, or the "
                "URI of an object store"
            )
    except RayError as error:
        if node["NodeID"] not in [one["NodeID"] for one in _alive()]:
            return
        raise BadInput(
            f"home {home} could not be tried on the cluster's node {node['NodeManagerAddress']}: {error}"
        ) from error
    finally:
        files.remove(answer)


def _answer_probe(home: str, probe: str, answer: str) -> str:
    """Runs on the node: what is wrong with the home there; empty where nothing is."""
    files = files_of(home)
    if not files.exists(probe):
        return "does not see what this process writes there"
    try:
        files.write(answer, [b"farm"])
    except OSError as error:
        return f"cannot write it ({error})"
    return ""


def _alive() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]  # Ray's own gap
    return [node for node in found if node["Alive"]]
