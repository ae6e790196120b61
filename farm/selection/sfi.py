"""Single feature importance: what each column says alone, on rows it was not fitted to."""

from typing import Literal

import numpy as np
from pydantic import Field

from farm.selection.choice import Chooser
from farm.selection.loss import column_of, log_of, share_of_own
from farm.selection.rows import Float, Int, TrainRows

_LEAF = 0.05  # least share of the weight in a leaf


class Sfi(Chooser):
    """Single feature importance: the log loss that a small tree of one column saves against the class shares.

    Purged k-fold inside the train rows, one column at a time: twins do not understate each other, and what two columns
    only say together is not seen.

    Source: Advances in Financial Machine Learning, section 8.4.1.
    """

    kind: Literal["sfi"] = "sfi"
    folds: int = Field(4, ge=2, le=20, description="purged inner folds of the train rows")
    leaves: int = Field(8, ge=2, le=64, description="leaves of a column's tree")

    def importance(self, rows: TrainRows, seed: int) -> Float:
        """Nats an event, shape (columns,); 0 or less for a column that says nothing."""
        saved = np.zeros(rows.inputs.shape[1])
        for train, test in rows.inner_folds(self.folds):
            before = log_of(_without(rows, train, test))
            for column in range(len(saved)):
                gained = log_of(self._alone(rows, column, train, test, seed)) - before
                saved[column] += gained @ rows.uniqueness[test]
        return saved / rows.uniqueness.sum()

    def _alone(self, rows: TrainRows, column: int, train: Int, test: Int, seed: int) -> Float:
        """Share of each test row's own class in the leaf of the column's tree that it falls into."""
        from sklearn.tree import DecisionTreeClassifier

        tree = DecisionTreeClassifier(max_leaf_nodes=self.leaves, min_weight_fraction_leaf=_LEAF, random_state=seed)
        alone = rows.inputs[:, [column]]
        tree.fit(alone[train], rows.target[train], sample_weight=rows.uniqueness[train])
        return share_of_own(tree.predict_proba(alone[test]), column_of(rows.target[test], tree.classes_))


def _without(rows: TrainRows, train: Int, test: Int) -> Float:
    """Share of each test row's own class among the train rows."""
    classes, own = np.unique(rows.target[train], return_inverse=True)
    shares = np.bincount(own, weights=rows.uniqueness[train]) / rows.uniqueness[train].sum()
    return share_of_own(np.tile(shares, (len(test), 1)), column_of(rows.target[test], classes))
