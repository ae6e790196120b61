"""Everything above the base models, nested so that nothing ever sees the group it is scored on (DESIGN section 5)."""

from farm.stack.lattice import Lattice, build_lattice
from farm.stack.nested import Nested, run_nested, run_unnested
from farm.stack.pipeline import Stack, fit_pipeline
from farm.stack.steps import Calibrate, Combine, Market, Outcomes, Size

__all__ = [
    "Calibrate",
    "Combine",
    "Lattice",
    "Market",
    "Nested",
    "Outcomes",
    "Size",
    "Stack",
    "build_lattice",
    "fit_pipeline",
    "run_nested",
    "run_unnested",
]
