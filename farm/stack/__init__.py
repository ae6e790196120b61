"""Everything above the base models, nested so that nothing ever sees the group it is scored on (DESIGN section 5)."""

from farm.stack.calibrate import Calibrate
from farm.stack.choose import Choose
from farm.stack.combine import Combine
from farm.stack.inputs import Market, Outcomes
from farm.stack.lattice import Lattice, build_lattice
from farm.stack.meta_label import MetaLabel
from farm.stack.nested import Nested, run_nested, run_unnested
from farm.stack.pipeline import Stack, fit_pipeline
from farm.stack.proposal import Proposal
from farm.stack.size import Size
from farm.stack.threshold import Threshold

__all__ = [
    "Calibrate",
    "Choose",
    "Combine",
    "Lattice",
    "Market",
    "MetaLabel",
    "Nested",
    "Outcomes",
    "Proposal",
    "Size",
    "Stack",
    "Threshold",
    "build_lattice",
    "fit_pipeline",
    "run_nested",
    "run_unnested",
]
