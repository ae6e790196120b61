"""What docs/stacking.md shows holds for a seed that the page does not use."""

from farm.calibrate.designs import DESIGNS
from farm.calibrate.stacking import score_seed


def test_on_drifting_noise_only_the_ordinary_stack_finds_something_and_pairs_agree_with_nesting() -> None:
    (drift,) = (design for design in DESIGNS if design.name == "drift")
    found = score_seed(drift, 1000)
    assert found["ordinary stack"].pooled > 0.55
    assert found["pair nesting"].pooled < 0.5
    assert abs(found["pair nesting"].pooled - found["full nested"].pooled) < 0.01
    assert found["pair nesting"].sharpe < 0 < found["ordinary stack"].sharpe
    assert (found["pair nesting"].fits, found["full nested"].fits) == (3 * 45, 3 * 55)
