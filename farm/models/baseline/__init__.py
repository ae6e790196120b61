"""Baselines: rules that every table of results shows, so that a model is seen beside doing nothing clever."""
