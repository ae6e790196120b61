"""The experiment file: schema, composition, errors that name the line."""

from farm.config.experiment import Execution, Experiment
from farm.config.load import experiment_at_hand, load_experiment
from farm.config.schema import experiment_schema

__all__ = ["Execution", "Experiment", "experiment_at_hand", "experiment_schema", "load_experiment"]
