"""The verdict: PASS, FAIL and INSUFFICIENT rule by rule, on returns whose truth is known."""

import math
from dataclasses import asdict, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from farm.evidence import LEAST_TRIALS, History, Thresholds, gather_evidence
from farm.stats import (
    SharpeEstimate,
    effective_trials,
    holm,
    probabilistic_sharpe_ratio,
    probability_of_backtest_overfitting,
)
from farm.verdict import decide

YEAR = 252
USUAL = Thresholds()
SESSIONS = 4 * YEAR


def returns_of(z, n=SESSIONS, seed=0):
    """Returns with exactly this Sharpe ratio times sqrt(n)."""
    noise = np.random.default_rng(seed).standard_normal(n)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    return 0.01 * (noise + z / math.sqrt(n))


def evidence(
    candidates, *, others=None, lost=0, symbol="X", n_studies=1, faults=(), smallest=100, thresholds=USUAL, stacks=None
):
    n = len(next(iter(candidates.values()))) if candidates else SESSIONS
    history = History(np.zeros((n, 0)) if others is None else others, lost)
    return gather_evidence(
        symbol, candidates, history, sessions_per_year=YEAR, smallest_group=smallest, faults=faults,
        thresholds=thresholds, n_studies=n_studies, seed=1, stacks=stacks or {},
    )  # fmt: skip


def ruled(found, name="model", thresholds=USUAL):
    studies = found if isinstance(found, list) else [found]
    return decide(studies, thresholds)[studies[0].symbol].candidates[name]


def only_known_numbers(found):
    return all(value is None or math.isfinite(value) for value in asdict(found).values())


# ---- PASS and FAIL


def test_one_strong_candidate_passes():
    found = evidence({"model": returns_of(4.0)})
    one = found.candidates["model"]
    assert ruled(found).ruling == "PASS"
    assert ruled(found).reasons == ()
    assert one.sharpe == pytest.approx(4.0 / 2, rel=1e-9)
    assert one.sharpe_low < one.sharpe < one.sharpe_high
    assert one.deflated > 0.999
    assert only_known_numbers(one)


def test_a_stack_that_does_not_beat_its_best_base_is_not_passed():
    series = {"strong": returns_of(5.0), "weak": returns_of(1.0, seed=1), "stack": returns_of(4.5, seed=2)}
    found = evidence(series, stacks={"stack": ("strong", "weak")})
    assert ruled(found, "strong").ruling == "PASS"
    assert ruled(found, "stack").ruling == "FAIL"
    assert ruled(found, "stack").reasons == (
        "it does not beat its best base: strong alone has a Sharpe ratio of 2.50, the stack 2.25",
    )


def test_a_stack_that_beats_every_base_is_judged_like_any_other():
    series = {"strong": returns_of(4.0), "idle": np.zeros(SESSIONS), "stack": returns_of(4.5, seed=2)}
    found = evidence(series, stacks={"stack": ("strong", "idle", "of which nothing is known")})
    assert ruled(found, "stack").ruling == "PASS"


@pytest.mark.parametrize(("z", "ruling"), [(1.2, "FAIL"), (1.9, "FAIL"), (2.1, "FAIL"), (2.3, "PASS"), (-3.0, "FAIL")])
def test_alone_the_line_is_that_of_the_better_of_two(z, ruling):
    verdict = ruled(evidence({"model": returns_of(z)}))
    assert verdict.ruling == ruling
    if ruling == "FAIL":
        assert "deflated Sharpe probability" in verdict.reasons[0]
        assert "0.950 is needed after counting 1 trials" in verdict.reasons[0]


def test_what_passes_alone_fails_as_the_best_of_many_trials():
    alone = evidence({"model": returns_of(2.4)})
    noise = np.column_stack([returns_of(0.0, seed=seed) for seed in range(1, 30)])
    among = evidence({"model": returns_of(2.4)}, others=noise)
    assert ruled(alone).ruling == "PASS"
    assert ruled(among).ruling == "FAIL"
    assert among.raw_trials == 30
    assert 25 < among.effective_trials <= 30
    assert "counting 30 trials" in ruled(among).reasons[0]
    assert ruled(among).required_sharpe > ruled(alone).required_sharpe


def test_copies_of_a_trial_are_hardly_counted():
    copies = np.column_stack([returns_of(2.4)] * 29)
    found = evidence({"model": returns_of(2.4)}, others=copies)
    assert found.raw_trials == 30
    assert found.effective_trials == 2
    assert ruled(found).ruling == "PASS"


def test_who_learned_its_side_from_the_other_groups_passes_noise_no_more_often_than_alpha():
    """The luck of groups agrees: a side that was learned from the others doubles the tail that one trial would have."""
    rng, per_group, n_groups, passed, uncounted = np.random.default_rng(3), 125, 4, 0, 0
    for _ in range(2000):
        noise = rng.normal(size=(n_groups, per_group))
        total = noise.sum(axis=1)
        bets = (noise * np.sign(total.sum() - total)[:, None]).ravel()
        found = SharpeEstimate.of(bets)
        uncounted += found.deflated(1.0) >= 0.95
        passed += found.deflated(LEAST_TRIALS) >= 0.95
    assert uncounted > 0.08 * 2000
    assert passed < 0.05 * 2000


def test_a_trial_without_returns_counts_one():
    found = evidence({"model": returns_of(2.4)}, lost=29)
    assert (found.raw_trials, found.effective_trials) == (30, pytest.approx(30))
    assert ruled(found).ruling == "FAIL"


def test_n_counts_candidates_and_history_together():
    others = np.column_stack([returns_of(0, seed=5), returns_of(0, seed=6)])
    found = evidence({"a": returns_of(1), "b": returns_of(0, seed=9)}, others=others, lost=3)
    expected = effective_trials(np.column_stack((returns_of(1), returns_of(0, seed=9), others))).value + 3
    assert found.raw_trials == 7
    assert found.effective_trials == pytest.approx(expected)


@given(z=st.floats(-4, 6), seed=st.integers(0, 20), n_trials=st.integers(1, 40))
def test_deflation_never_lifts_a_candidate_above_its_probabilistic_sharpe_ratio(z, seed, n_trials):
    returns = returns_of(z, n=300, seed=seed)
    found = evidence({"model": returns}, lost=n_trials - 1).candidates["model"]
    assert found.deflated <= probabilistic_sharpe_ratio(returns) + 1e-12
    assert only_known_numbers(found)


def test_one_trial_is_deflated_as_the_better_of_two():
    found = evidence({"model": returns_of(1.7)}).candidates["model"]
    better_of_two = 1 / math.sqrt(math.pi)  # the expected larger of two standard normals
    assert found.deflated == pytest.approx(0.5 * math.erfc((better_of_two - found.z) / math.sqrt(2)), abs=2e-3)
    assert found.paper_deflated_raw is None


# ---- candidates that have nothing to show


def test_a_candidate_that_never_trades_fails_for_that_reason_with_p_one():
    found = evidence({"model": np.zeros(SESSIONS)})
    verdict = decide([found], Thresholds())["X"]
    assert verdict.p_value == 1.0
    assert verdict.candidates["model"].ruling == "FAIL"
    assert "no bet was ever worth its cost" in verdict.candidates["model"].reasons[0]
    assert set(asdict(found.candidates["model"]).values()) == {None, 0}
    assert found.candidates["model"].active_sessions == 0
    assert found.raw_trials == 1


def test_a_few_lucky_bets_are_not_enough_to_be_judged():
    returns = np.zeros(SESSIONS)
    returns[100:400:100] = 0.02
    found = evidence({"model": returns})
    assert found.candidates["model"].z > 3, "three wins and no loss look like three standard errors and more"
    assert found.candidates["model"].deflated is None
    verdict = decide([found], Thresholds())["X"]
    assert verdict.candidates["model"].ruling == "INSUFFICIENT"
    assert "only 3 sessions" in verdict.candidates["model"].reasons[0]
    assert verdict.p_value == 1.0


def test_the_required_sharpe_is_the_one_at_which_it_would_have_passed():
    found = evidence({"model": returns_of(1.0)})
    verdict = ruled(found)
    assert verdict.ruling == "FAIL"
    ratio = verdict.required_sharpe / found.candidates["model"].sharpe
    assert ratio * found.candidates["model"].z == pytest.approx(1.645 + 1 / math.sqrt(math.pi), abs=0.01)


def test_an_idle_candidate_counts_as_a_trial_of_the_others():
    found = evidence({"model": returns_of(4), "idle": np.zeros(SESSIONS)})
    assert found.effective_trials == pytest.approx(2)
    assert ruled(found).ruling == "PASS"
    assert ruled(found, "idle").ruling == "FAIL"


def test_a_study_whose_candidates_all_failed_is_insufficient_and_says_why():
    for others in (None, returns_of(0)[:, None]):
        found = evidence({}, others=others, lost=2)
        verdict = decide([found], Thresholds())["X"]
        assert verdict.candidates == {}
        assert verdict.p_value == 1.0
        assert any("no candidate is left to judge" in reason for reason in verdict.insufficient)
        assert found.raw_trials == 2 + (others is not None)


def test_without_a_ledger_nobody_knows_n_so_nothing_is_deflated():
    found = gather_evidence(
        "X", {"model": returns_of(6)}, None, sessions_per_year=YEAR, smallest_group=100, faults=(),
        thresholds=Thresholds(), n_studies=1, seed=0,
    )  # fmt: skip
    assert (found.raw_trials, found.effective_trials, found.certifiable_sharpe) == (None, None, None)
    assert found.candidates["model"].deflated is None
    assert found.candidates["model"].paper_deflated_raw is None
    verdict = ruled(found)
    assert verdict.ruling == "INSUFFICIENT"
    assert any("ledger of trials is missing" in reason for reason in verdict.reasons)


def test_a_standard_error_that_is_unknown_is_not_a_failure():
    known = evidence({"model": returns_of(2)})
    unknown = replace(known, candidates={"model": replace(known.candidates["model"], deflated=None)})
    assert ruled(unknown).ruling == "INSUFFICIENT"


# ---- INSUFFICIENT


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"smallest": 29}, "a group has only 29 events; 30 are needed"),
        ({"faults": ["leak: feature volume_ratio_20 knows the future"]}, "leak: feature volume_ratio_20"),
    ],
)
def test_what_cannot_be_judged_is_insufficient_however_good_it_looks(given, words):
    verdict = ruled(evidence({"model": returns_of(9.0)}, **given))
    assert verdict.ruling == "INSUFFICIENT"
    assert any(words in reason for reason in verdict.reasons)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 12])
def test_a_span_of_a_few_sessions_certifies_nothing(n):
    returns = np.linspace(-0.01, 0.02, n) if n > 1 else np.array([0.01])
    found = evidence({"model": returns})
    assert ruled(found).ruling == "INSUFFICIENT"
    assert only_known_numbers(found.candidates["model"])


def test_a_span_that_certifies_only_an_absurd_sharpe_ratio_is_insufficient():
    short = evidence({"model": returns_of(3.0, n=60)})
    assert short.certifiable_sharpe > 4
    assert "certify only an annual Sharpe ratio above" in ruled(short).reasons[0]
    assert ruled(evidence({"model": returns_of(3.0, n=300)})).ruling == "PASS"


def test_more_studies_make_certification_harder():
    one, many = evidence({"model": returns_of(1)}), evidence({"model": returns_of(1)}, n_studies=50)
    assert many.certifiable_sharpe > one.certifiable_sharpe


# ---- PBO


def unstable(n_trials, n=SESSIONS):
    """Trials that each win in some stretches and lose in others, so that the best in sample loses out of sample."""
    rng = np.random.default_rng(3)
    blocks = np.repeat(np.arange(16), n // 16 + 1)[:n]
    matrix = rng.normal(0, 0.01, (n, n_trials))
    for trial in range(n_trials):
        sign = np.where(rng.permutation(16) < 8, 1.0, -1.0)
        matrix[:, trial] += 0.01 * sign[blocks]
    return matrix


def test_an_unstable_ranking_with_losses_fails_a_candidate_from_ten_trials_on():
    others = unstable(9)
    strong = {"model": returns_of(5.0) * 0.1}
    found = evidence(strong, others=others)
    expected = probability_of_backtest_overfitting(np.column_stack((strong["model"], others)), n_blocks=16)
    assert found.overfitting.pbo == expected.pbo
    assert found.overfitting.probability_of_loss == expected.probability_of_loss
    lax = Thresholds(max_pbo=0.01, max_probability_of_loss=0.01)
    failed = replace(found, overfitting=replace(found.overfitting, pbo=0.6, probability_of_loss=0.2))
    assert ruled(failed).ruling == "FAIL"
    assert "the ranking of trials does not last (PBO 0.60)" in ruled(failed).reasons[-1]
    stable = replace(failed, overfitting=replace(found.overfitting, pbo=0.6, probability_of_loss=0.05))
    assert not any("ranking" in reason for reason in ruled(stable).reasons)
    low = replace(failed, overfitting=replace(found.overfitting, pbo=0.4, probability_of_loss=0.3))
    assert not any("ranking" in reason for reason in ruled(low).reasons)
    assert any("ranking" in reason for reason in ruled(low, thresholds=lax).reasons)


@pytest.mark.parametrize(("moving", "idle", "applies"), [(9, 0, False), (9, 5, False), (10, 0, True), (10, 3, True)])
def test_pbo_does_not_apply_under_ten_trials_that_moved(moving, idle, applies):
    others = np.column_stack([unstable(moving - 1), np.zeros((SESSIONS, idle))])
    found = evidence({"model": returns_of(1)}, others=others, lost=30)
    assert (found.overfitting.pbo is not None) == applies
    assert any("ranking" in reason for reason in ruled(found).reasons) <= applies


def test_pbo_never_passes_what_deflation_fails():
    found = evidence({"model": returns_of(0.5)})
    sound = replace(found, overfitting=replace(found.overfitting, pbo=0.0, probability_of_loss=0.0, slope=1.0))
    assert ruled(sound).ruling == "FAIL"


def test_an_odd_number_of_blocks_is_refused_before_the_run():
    with pytest.raises(ValidationError):
        Thresholds(pbo_blocks=15)


# ---- Holm over the studies


@cache
def ordinary():
    return evidence({"model": returns_of(2.0)})


def study(p, symbol="X", **changed):
    """A study whose best candidate has this p-value."""
    found = ordinary()
    one = replace(found.candidates["model"], deflated=1 - p)
    return replace(found, symbol=symbol, candidates={"model": one}, **changed)


def test_a_candidate_that_passes_alone_fails_among_twenty_null_studies():
    assert ruled([study(0.01)]).ruling == "PASS"
    crowd = [study(0.01), *(study(0.1 + 0.04 * k, f"N{k}") for k in range(20))]
    verdict = decide(crowd, Thresholds())["X"]
    assert verdict.candidates["model"].ruling == "FAIL"
    assert verdict.level == pytest.approx(0.05 / 21)
    assert verdict.adjusted_p_value == pytest.approx(0.21)
    assert "every study of the experiment" in verdict.candidates["model"].reasons[0]
    assert ruled([study(0.002), *crowd[1:]]).ruling == "PASS"


def test_studies_step_down_and_stop_at_the_first_that_fails():
    found = decide([study(0.01, "A"), study(0.02, "B"), study(0.04, "C")], Thresholds())
    assert [found[name].level for name in "ABC"] == pytest.approx([0.05 / 3, 0.05 / 2, 0.05])
    assert [found[name].candidates["model"].ruling for name in "ABC"] == ["PASS", "PASS", "PASS"]
    stopped = decide([study(0.03, "A"), study(0.04, "B"), study(0.001, "C")], Thresholds())
    assert [stopped[name].candidates["model"].ruling for name in "ABC"] == ["FAIL", "FAIL", "PASS"]
    assert stopped["B"].level == stopped["A"].level == pytest.approx(0.025)


def test_insufficient_studies_count():
    silent = [study(0.9, f"S{k}", faults=("leak",)) for k in range(4)]
    assert ruled([study(0.02), *silent]).ruling == "FAIL"
    assert decide([study(0.02), *silent], Thresholds())["S1"].candidates["model"].ruling == "INSUFFICIENT"
    assert ruled([study(0.009), *silent]).ruling == "PASS"


def test_a_second_candidate_is_held_to_the_level_of_its_study():
    pair = study(0.001)
    weaker = replace(pair.candidates["model"], deflated=0.97)
    pair = replace(pair, candidates={**pair.candidates, "weaker": weaker})
    assert ruled([pair], "weaker").ruling == "PASS"
    assert ruled([pair, study(0.5, "N")], "weaker").ruling == "FAIL"
    assert ruled([pair, study(0.5, "N")]).ruling == "PASS"


@given(st.lists(st.sampled_from([0.0, 0.004, 0.01, 0.0125, 0.02, 0.025, 0.04, 0.05, 0.3, 1.0]), min_size=1, max_size=8))
def test_rulings_are_holms_whatever_the_order_and_the_ties(p_values):
    named = [study(p, f"S{k}") for k, p in enumerate(p_values)]
    found, mirrored = decide(named, Thresholds()), decide(named[::-1], Thresholds())
    assert found == mirrored
    adjusted = holm([found[one.symbol].p_value for one in named])
    for one, expected in zip(named, adjusted, strict=True):
        if abs(expected - 0.05) > 1e-9:
            assert (found[one.symbol].candidates["model"].ruling == "PASS") == (expected < 0.05)
    for one in named:
        for other in named:
            if found[one.symbol].p_value == found[other.symbol].p_value:
                assert found[one.symbol].level == found[other.symbol].level
