"""What permuting columns costs a forest on rows it never saw, without predicting every row again for every column."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from farm.selection.loss import column_of, log_of
from farm.selection.rows import Float, Int, TrainRows


def permutation_loss(
    rows: TrainRows, group: Int, *, folds: int, trees: int, leaf: float, repeats: int, seed: int
) -> Float:
    """Mean log loss that permuting each group of columns adds on purged inner test rows, nats an event.

    Extremely randomised trees are fitted on the train rows of each inner fold; on its test rows the columns of one
    group take the values of other test rows, all from the same one. Rows weigh by their uniqueness.

    Parameters
    ----------
    group : int array, shape (columns,)
        The group of each column, numbered from 0.
    folds, repeats
        Inner folds; permutations a fold.
    trees, leaf
        Trees a fold; least share of the weight in a leaf.

    Returns
    -------
    float array, shape (groups,)
        0 or less for what does not matter.
    """
    from sklearn.ensemble import ExtraTreesClassifier

    draw = np.random.default_rng(seed)
    added = np.zeros(int(group.max()) + 1)
    inputs = rows.inputs.astype(np.float32)  # as the trees read them
    for train, test in rows.inner_folds(folds):
        forest = ExtraTreesClassifier(
            n_estimators=trees, max_features="sqrt", min_weight_fraction_leaf=leaf, random_state=seed, n_jobs=1
        ).fit(inputs[train], rows.target[train], sample_weight=rows.uniqueness[train])
        own = column_of(rows.target[test], forest.classes_)
        for _ in range(repeats):
            right, changed = permuted_shares(forest, inputs[test], draw.permutation(len(test)), group, own)
            added += (log_of(right) - log_of(right + changed)) @ rows.uniqueness[test]
    return added / (repeats * rows.uniqueness.sum())


def permuted_shares(forest: Any, inputs: NDArray[np.float32], other: Int, group: Int, own: Int) -> tuple[Float, Float]:
    """The forest's probability of each row's own class, and by how much permuting each group of columns changes it.

    Only a group met on a row's way down a tree can change the leaf it ends in, so only those are walked again: the
    same numbers as predicting each permuted matrix, at the cost of a tree's depth instead of the number of columns.

    Parameters
    ----------
    inputs : float32 array, shape (rows, columns)
    other : int array, shape (rows,)
        The row that each row's permuted values are taken from.
    group : int array, shape (columns,)
    own : int array, shape (rows,)
        The forest's column of each row's class; -1 where it never met that class, whose probability is 0.

    Returns
    -------
    Shape (rows,) and (groups, rows).
    """
    right, changed = np.zeros(len(inputs)), np.zeros((int(group.max()) + 1, len(inputs)))
    mixed = inputs[other]
    for estimator in forest.estimators_:
        tree = estimator.tree_
        _walk(
            tree.children_left, tree.children_right, tree.feature, tree.threshold, tree.value[:, 0, :],
            group, inputs, mixed, own, right, changed,
        )  # fmt: skip
    return right / len(forest.estimators_), changed / len(forest.estimators_)


@njit(cache=True, nogil=True)
def _walk(
    left: Int,
    right_child: Int,
    column: Int,
    threshold: Float,
    value: Float,
    group: Int,
    inputs: NDArray[np.float32],
    mixed: NDArray[np.float32],
    own: Int,
    right: Float,
    changed: Float,
) -> None:
    """Add one tree's share of each row's own class to ``right``, and what each group on its way changes."""
    met = np.empty(len(left), dtype=np.int64)
    for row in range(len(inputs)):
        if own[row] < 0:
            continue
        node, n_met = 0, 0
        while left[node] >= 0:
            at = column[node]
            new = True
            for k in range(n_met):
                if met[k] == group[at]:
                    new = False
            if new:
                met[n_met] = group[at]
                n_met += 1
            node = left[node] if inputs[row, at] <= threshold[node] else right_child[node]
        right[row] += value[node, own[row]]
        for k in range(n_met):
            end = 0
            while left[end] >= 0:
                at = column[end]
                x = mixed[row, at] if group[at] == met[k] else inputs[row, at]
                end = left[end] if x <= threshold[end] else right_child[end]
            changed[met[k], row] += value[end, own[row]] - value[node, own[row]]
