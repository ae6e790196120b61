"""`python -m cluster.local up` starts two nodes and says how to use them; `python -m cluster.local down` stops them."""

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from getpass import getuser
from pathlib import Path

from cluster.local.nodes import LocalCluster, Node

STATE = Path(tempfile.gettempdir()) / f"farm-cluster-{getuser()}.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m cluster.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    starting = commands.add_parser("up", help="start the cluster")
    starting.add_argument("--nodes", type=int, default=2, help="how many nodes, the head among them (2)")
    starting.add_argument("--cpus", type=int, default=1, help="CPUs of each node (1)")
    commands.add_parser("down", help="stop it")
    chosen = parser.parse_args()
    if chosen.command == "up":
        up(chosen.nodes, chosen.cpus)
    else:
        down()


def up(nodes: int, cpus: int) -> None:
    if STATE.exists():
        sys.exit(f"a local cluster is up already ({STATE}); stop it with `python -m cluster.local down`")
    cluster = LocalCluster(cpus)
    try:
        cluster.up(nodes)
    except BaseException:
        cluster.down()
        raise
    STATE.write_text(json.dumps({"folder": str(cluster.folder), "nodes": [asdict(node) for node in cluster.nodes]}))
    print(f"{nodes} nodes of {cpus} CPU each are up, dashboard {cluster.dashboard}")
    print("  the token for the dashboard:  RAY_AUTH_MODE=token ray get-auth-token")
    print("  a run from here:              FARM_HOME=/shared/home farm run EXPERIMENT.yaml --address", cluster.address)
    print(
        "  as a job:                     FARM_HOME=/shared/home farm submit EXPERIMENT.yaml --address",
        cluster.dashboard,
    )


def down() -> None:
    if not STATE.exists():
        sys.exit("no local cluster is up")
    state = json.loads(STATE.read_text())
    for node in reversed(state["nodes"]):
        Node(**node).stop()
    shutil.rmtree(state["folder"], ignore_errors=True)
    STATE.unlink()
    print("the local cluster is down")


if __name__ == "__main__":
    main()
