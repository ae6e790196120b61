"""A Ray cluster of several nodes on this machine: what two machines would do, to try and to test with."""

from cluster.local.nodes import LocalCluster, Node

__all__ = ["LocalCluster", "Node"]
