"""Tracking: what a run found, sent to MLflow now or, when MLflow does not answer, later."""

from farm.track.deliver import deliver

__all__ = ["deliver"]
