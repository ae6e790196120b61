"""Logistic regression with an L2 penalty."""

import warnings
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from farm.models.contract import EvalSet, Float, Labels, Wants
from farm.models.rows import balanced, refuse_eval_set, training_rows
from farm.models.threads import pinned


@dataclass(config={"strict": True, "extra": "forbid"}, kw_only=True, eq=False)
class Logistic:
    """Multinomial logistic regression: linear scores of standardised features.

    ``C`` is the inverse of the L2 penalty, against the sum of the weighted log losses. ``balanced`` gives every class
    the same total weight; the probabilities then no longer follow the classes' shares.
    """

    wants: ClassVar[Wants] = Wants(scale="standard", threads="threads")

    C: Annotated[float, Field(gt=0)]
    balanced: bool
    max_iter: Annotated[int, Field(ge=1)]
    threads: Annotated[int, Field(ge=1)] = 1

    def fit(self, X: Float, y: Labels, sample_weight: Float | None = None, eval_set: EvalSet | None = None) -> Self:
        """The model itself, fitted; a ValueError where the solver finds no optimum."""
        refuse_eval_set("logistic", eval_set)
        rows = training_rows(X, y, sample_weight)
        self.classes_: Labels = rows.classes
        if len(rows.classes) == 1:
            self.coef_: Float = np.zeros((1, X.shape[1]))
            self.intercept_: Float = np.zeros(1)
            return self

        from scipy.linalg import LinAlgWarning
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        weight = balanced(rows) if self.balanced else rows.weight
        # Newton's steps do not mind near-collinear features, on which lbfgs takes hundreds of iterations.
        solver = LogisticRegression(C=self.C, solver="newton-cholesky", tol=1e-6, max_iter=self.max_iter)
        with pinned(self.threads), warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            warnings.simplefilter("error", LinAlgWarning)
            try:
                solver.fit(rows.X, rows.code, sample_weight=weight)
            except (ConvergenceWarning, LinAlgWarning) as error:
                raise ValueError(
                    f"logistic found no optimum with C={self.C} on {X.shape} rows and features; lower C, scale the "
                    f"features or raise max_iter={self.max_iter} ({error})"
                ) from error
        coef, intercept = solver.coef_, solver.intercept_
        if len(rows.classes) == 2:  # one score against the first class, whose own is 0
            coef, intercept = np.vstack((np.zeros_like(coef), coef)), np.append(0.0, intercept)
        self.coef_, self.intercept_ = coef, intercept
        return self

    def predict_proba(self, X: Float) -> Float:
        """Probabilities, shape (n, len(classes_)).

        The scores are added up feature by feature: a matrix product would round a row differently in another company.
        """
        scores = np.tile(self.intercept_, (len(X), 1))
        for feature, coef in zip(X.T, self.coef_.T, strict=True):
            scores += feature[:, None] * coef
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        return odds / odds.sum(axis=1, keepdims=True)
