import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.labels import draw_probabilities, sequential_bootstrap

labels = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), min_size=1, max_size=60)
seeds = st.integers(0, 2**32 - 1)


def arrays(pairs):
    start = np.array([s for s, _ in pairs])
    return start, start + np.array([length for _, length in pairs])


def drawn_by_definition(start, end, uniforms):
    """Each draw by the inverse of the cumulative probabilities, labels in the order of their starts."""
    order = np.argsort(start, kind="stable")
    drawn = []
    for u in uniforms:
        below = np.cumsum(draw_probabilities(start, end, drawn)[order])
        drawn.append(int(order[min(np.searchsorted(below, u, side="right"), len(order) - 1)]))
    return drawn


@given(labels, seeds)
def test_draws_follow_the_definition_number_by_number(pairs, seed):
    start, end = arrays(pairs)
    uniforms = np.random.default_rng(seed).random(40)
    found = sequential_bootstrap(start, end, 40, np.random.default_rng(seed))
    assert found.tolist() == drawn_by_definition(start, end, uniforms)


@given(labels, seeds, st.integers(0, 1000))
def test_shifting_every_label_in_time_changes_no_draw(pairs, seed, shift):
    start, end = arrays(pairs)
    one = sequential_bootstrap(start, end, 50, np.random.default_rng(seed))
    other = sequential_bootstrap(start + shift, end + shift, 50, np.random.default_rng(seed))
    assert one.tolist() == other.tolist()


def test_the_second_draw_has_the_probabilities_of_the_book():
    start, end = np.array([0, 2, 4]), np.array([2, 3, 5])
    rng = np.random.default_rng(4)
    pairs = np.array([sequential_bootstrap(start, end, 2, rng) for _ in range(20_000)])
    after = pairs[pairs[:, 0] == 1, 1]
    expected = np.array([5, 3, 6]) / 14
    share = np.bincount(after, minlength=3) / len(after)
    assert (np.abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / len(after))).all()


def test_the_probabilities_hold_after_many_draws_over_many_labels():
    # the sums that the kernel keeps up to date must still be those of the definition
    rng = np.random.default_rng(5)
    start = np.sort(rng.integers(0, 3000, 2000))
    end = start + rng.integers(1, 60, 2000)
    drawn = sequential_bootstrap(start, end, 1500, np.random.default_rng(6))
    uniforms = np.random.default_rng(6).random(1500)
    below = np.cumsum(draw_probabilities(start, end, drawn[:-1]))
    assert below[drawn[-1] - 1] <= uniforms[-1] < below[drawn[-1]]


def test_it_draws_less_overlap_than_the_plain_bootstrap():
    rng = np.random.default_rng(7)
    start = np.sort(rng.integers(0, 400, 200))
    end = start + rng.integers(1, 40, 200)

    def overlap(sample):
        bars = np.zeros(500)
        for k in sample:
            bars[start[k] : end[k] + 1] += 1
        return (bars**2).sum() / bars.sum()

    ours = [overlap(sequential_bootstrap(start, end, 200, rng)) for _ in range(30)]
    plain = [overlap(rng.integers(0, 200, 200)) for _ in range(30)]
    assert np.mean(ours) < np.mean(plain) - 3 * np.std(plain) / np.sqrt(30)


def test_nothing_to_draw():
    rng = np.random.default_rng(0)
    assert len(sequential_bootstrap([], [], 0, rng)) == 0
    assert len(draw_probabilities([], [], [])) == 0
    with pytest.raises(ValueError, match="3 draws from no labels"):
        sequential_bootstrap([], [], 3, rng)
    with pytest.raises(ValueError, match="size is -1"):
        sequential_bootstrap([0], [1], -1, rng)
