"""The whole pipeline on real fits of three bases: nothing out of noise, and on signal no worse than the chosen base."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from farm.stack import Market, Stack, run_nested
from farm.stack.inputs import log_loss
from farm.stack.nested import outcomes_of
from tests.stack.drawn import events_of, interval, lattice_of, plan_of, session_sharpe

pytestmark = pytest.mark.slow

ROWS, GROUPS = 600, 5
JUDGED = [
    {"kind": "meta_label", "features": ["unrelated"]},
    {"kind": "threshold"},
    {"kind": "size", "rule": "probability"},
]
WHOLE = Stack(steps=[{"kind": "calibrate"}, {"kind": "combine"}, {"kind": "choose"}, *JUDGED])
CHOSEN_BASE = Stack(steps=[{"kind": "calibrate"}, {"kind": "choose"}, *JUDGED])


def bases(features, label):
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.tree import DecisionTreeClassifier

    def by(make):
        def predict(train, test):
            up = make().fit(features[train], label[train]).predict_proba(features[test])[:, 1]
            return np.column_stack((1 - up, 0 * up, up))

        return predict

    return {
        "linear": by(lambda: LogisticRegression(C=0.1)),
        "bayes": by(GaussianNB),
        "tree": by(lambda: DecisionTreeClassifier(max_depth=3, min_samples_leaf=30, random_state=0)),
    }


def world(seed, strength):
    """Labels of constant class rates that two of five features know something about, or nothing (strength 0)."""
    rng = np.random.default_rng([77, seed])
    features = rng.normal(size=(ROWS, 5))
    score = strength * (features[:, 0] + 0.5 * features[:, 1] * np.sign(features[:, 2]))
    label = np.where(rng.random(ROWS) < 1 / (1 + np.exp(-score)), 1, -1)
    events = events_of(label, label * rng.uniform(0.5, 1.5, ROWS) * 0.01)
    plan = plan_of(events, GROUPS)
    columns = {"unrelated": features[:, 3]}
    market = Market(np.full(ROWS, 0.01), np.zeros(ROWS), columns, events.row, events.exit_row)
    with threadpool_limits(1):
        return events, plan, lattice_of(plan, events, bases(features, label)), market


def decided(stack, events, plan, lattice, market):
    with threadpool_limits(1):
        return run_nested(stack.complete(), lattice.bases, lattice, plan, events, market).mean()


@pytest.mark.timeout(3600)
def test_on_noise_of_constant_class_rates_the_gross_sharpe_is_centred_on_zero():
    found = []
    for seed in range(40):
        events, plan, lattice, market = world(seed, 0.0)
        size = decided(WHOLE, events, plan, lattice, market).size
        assert (size != 0).any()
        found.append(session_sharpe(size * events.ret))
    mean, half = interval(found)
    assert abs(mean) < half < 0.1


@pytest.mark.timeout(3600)
def test_on_signal_the_stack_is_not_wholly_worse_than_the_base_that_would_be_chosen():
    sharpe, loss = [], []
    for seed in range(20):
        events, plan, lattice, market = world(seed, 0.6)
        stack, base = (decided(one, events, plan, lattice, market) for one in (WHOLE, CHOSEN_BASE))
        sharpe.append(session_sharpe(stack.size * events.ret) - session_sharpe(base.size * events.ret))
        known = outcomes_of(events, np.arange(ROWS))
        loss.append(log_loss(base.probability, known) - log_loss(stack.probability, known))
    for differences in (sharpe, loss):
        mean, half = interval(differences)
        assert mean + half > 0
