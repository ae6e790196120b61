"""Mean decrease of accuracy: what permuting a column costs on rows that the trees never saw."""

from typing import Literal

import numpy as np
from pydantic import Field

from farm.selection.choice import Chooser
from farm.selection.permuted import permutation_loss
from farm.selection.rows import Float, TrainRows


class PermutationChooser(Chooser):
    """What the two kinds that permute columns have in common."""

    folds: int = Field(4, ge=2, le=20, description="purged inner folds of the train rows")
    trees: int = Field(60, ge=10, le=2000, description="trees a fold")
    leaf: float = Field(0.01, gt=0, lt=0.5, description="least share of the weight in a leaf")
    repeats: int = Field(3, ge=1, le=100, description="permutations a fold")

    def loss_of(self, group: np.ndarray, rows: TrainRows, seed: int) -> Float:
        """Log loss that permuting each group of columns adds, shape (groups,)."""
        return permutation_loss(
            rows, group, folds=self.folds, trees=self.trees, leaf=self.leaf, repeats=self.repeats, seed=seed
        )


class Mda(PermutationChooser):
    """Mean decrease of accuracy: the log loss that permuting a column adds in purged k-fold inside the train rows.

    A twin stands in for the permuted column, so twins understate each other: ``clustered_mda`` does not.

    Source: Advances in Financial Machine Learning, section 8.3.3, with the log loss of section 9.4.
    """

    kind: Literal["mda"] = "mda"

    def importance(self, rows: TrainRows, seed: int) -> Float:
        """Nats an event, shape (columns,); 0 or less for a column that does not matter."""
        return self.loss_of(np.arange(rows.inputs.shape[1]), rows, seed)
