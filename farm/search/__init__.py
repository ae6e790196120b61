"""Parameter spaces, samplers, and the choice among configurations on the pair lattice (DESIGN sections 2 and 5)."""

from farm.search.adaptive import Adapting, Asked, Configuration, Halving, Tpe
from farm.search.conductor import Conductor, Question
from farm.search.objective import Objective, Rows, loss
from farm.search.pick import Choices, Pick, Picked
from farm.search.samplers import Grid, QuasiRandom, Random
from farm.search.section import RECIPES, Budget, Search, SearchedModel, configured, configured_name, fixed, search_seed
from farm.search.space import Point, Space

__all__ = [
    "RECIPES",
    "Adapting",
    "Asked",
    "Budget",
    "Choices",
    "Conductor",
    "Configuration",
    "Grid",
    "Halving",
    "Objective",
    "Pick",
    "Picked",
    "Point",
    "QuasiRandom",
    "Question",
    "Random",
    "Rows",
    "Search",
    "SearchedModel",
    "Space",
    "Tpe",
    "configured",
    "configured_name",
    "fixed",
    "loss",
    "search_seed",
]
