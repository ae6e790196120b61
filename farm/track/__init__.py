"""Tracking: what a run found, sent to MLflow."""

from farm.track.publish import publish

__all__ = ["publish"]
