"""Mean decrease of impurity: what the splits of a forest that read a column gained, in sample."""

from typing import Literal

import numpy as np
from pydantic import Field

from farm.selection.choice import Chooser
from farm.selection.rows import Float, TrainRows


class Mdi(Chooser):
    """Mean decrease of impurity over the trees of a random forest that got to read the column.

    Every split draws one column, so that a strong one does not hide its twins, and each tree a share of the rows as
    large as their mean uniqueness. In sample: it ranks, but cannot say that nothing matters, and twins share.

    Source: Advances in Financial Machine Learning, section 8.3.2; the share of rows from section 6.
    """

    kind: Literal["mdi"] = "mdi"
    trees: int = Field(100, ge=10, le=2000)
    leaf: float = Field(0.005, gt=0, lt=0.5, description="least share of the weight in a leaf")

    def importance(self, rows: TrainRows, seed: int) -> Float:
        """Mean share of a tree's gain in impurity, shape (columns,); 0 for a column no tree split on."""
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(
            n_estimators=self.trees,
            max_features=1,
            min_weight_fraction_leaf=self.leaf,
            max_samples=max(float(rows.uniqueness.mean()), 1 / len(rows.target)),
            random_state=seed,
            n_jobs=1,
        ).fit(rows.inputs, rows.target, sample_weight=rows.uniqueness)
        gains = np.array([tree.feature_importances_ for tree in forest.estimators_])
        split_on = np.count_nonzero(gains, axis=0)
        return np.divide(gains.sum(axis=0), split_on, out=np.zeros(gains.shape[1]), where=split_on > 0)
