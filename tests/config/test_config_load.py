"""An experiment file becomes an Experiment, or a message that names the line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.config import Experiment, experiment_at_hand, load_experiment
from farm.config.document import read_document
from farm.errors import BadInput

TEXT = """\
name: sound
seed: 7
bars: {source: synthetic, markets: {SYN-A: {edge: 0.2}}}
decisions: {timeframe: 15min}
labels: {kind: triple_barrier, up: 2.0, down: 2.0, max_bars: 8}
folds: {kind: cpcv, groups: 4}
models:
  linear: {uses: logistic}
backtest: {capital: 100000}
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(text: str) -> Path:
        path = tmp_path / "x.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


def test_a_file_becomes_an_experiment_with_its_defaults(write: Write) -> None:
    experiment = load_experiment(write(TEXT))
    assert isinstance(experiment, Experiment)
    assert experiment.folds.test_groups == 2
    assert experiment.stack is not None
    assert experiment.stack.nesting == "pairs"
    assert set(experiment.all_models()) == {"linear", "majority", "momentum_sign", "random"}


def test_a_resolved_experiment_is_an_experiment_file_of_the_same_digest(write: Write) -> None:
    experiment = load_experiment(write(TEXT))
    again = Experiment.model_validate(experiment.model_dump(mode="json"))
    assert again == experiment
    assert again.results_digest() == experiment.results_digest()


def test_where_a_run_happens_does_not_change_its_digest(write: Write) -> None:
    elsewhere = ["home=elsewhere", "execution={on: process, workers: 3}", "track=null"]
    file = write(TEXT)
    assert load_experiment(file, elsewhere).results_digest() == load_experiment(file).results_digest()
    assert load_experiment(file, ["seed=8"]).results_digest() != load_experiment(file).results_digest()


def test_a_byte_order_mark_and_windows_lines_do_no_harm(write: Write) -> None:
    assert load_experiment(write("\ufeff" + TEXT.replace("\n", "\r\n"))).name == "sound"


def test_variables_come_from_the_environment_and_are_values_not_yaml(write: Write) -> None:
    document = read_document(write("a: ${X}/b\nc: ['${X}']\n"), environment={"X": "[1, 2]"})
    assert document.values == {"a": "[1, 2]/b", "c": ["[1, 2]"]}


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("folds.groups=6", ("folds", "groups"), 6),
        ("features.timeframes=[1h, 4h]", ("features", "timeframes"), ["1h", "4h"]),
        ("stack=null", ("stack",), None),
        ("stack=", ("stack",), None),
        ("models.trees={uses: lightgbm, params: {num_leaves: 7}}", ("models", "trees", "params", "num_leaves"), 7),
        ("models.linear.params.C=0.5", ("models", "linear", "params", "C"), 0.5),
        ("bars.path=a=b", ("bars", "path"), "a=b"),
        ("verdict.alpha=1e-3", ("verdict", "alpha"), 0.001),
    ],
)
def test_set_puts_a_value_in_place_and_makes_the_sections_it_needs(
    write: Write, override: str, path: tuple[str, ...], value: object
) -> None:
    found: object = read_document(write(TEXT), [override]).values
    for part in path:
        assert isinstance(found, dict)
        found = found[part]
    assert found == value


def test_the_last_set_wins_and_later_ones_see_earlier_ones(write: Write) -> None:
    sets = ["folds={kind: cpcv, groups: 3}", "folds.groups=5", "stack=null"]
    experiment = load_experiment(write(TEXT), sets)
    assert (experiment.folds.kind, experiment.folds.groups) == ("cpcv", 5)


def test_a_section_that_is_null_in_the_file_can_be_filled_by_set(write: Write) -> None:
    assert load_experiment(write(TEXT + "execution:\n"), ["execution.workers=2"]).execution.workers == 2


def test_a_fault_is_told_at_its_line_or_at_the_set_that_made_it(write: Write) -> None:
    with pytest.raises(BadInput, match=r"x\.yaml:6: folds\.groups: .*found 'four'"):
        load_experiment(write(TEXT.replace("groups: 4", "groups: four")))
    with pytest.raises(BadInput, match=r"^--set folds\.groups=four: folds\.groups: .*found 'four'"):
        load_experiment(write(TEXT), ["folds.groups=four"])


def test_all_faults_are_told_at_once_but_not_more_than_five(write: Write) -> None:
    broken = TEXT.replace("groups: 4", "groups: four").replace("up: 2.0", "up: -1").replace("seed: 7", "seed: -7")
    with pytest.raises(BadInput) as three:
        load_experiment(write(broken))
    assert [line.partition(": ")[0].rpartition(":")[2] for line in str(three.value).splitlines()] == ["2", "5", "6"]
    with pytest.raises(BadInput, match=r"… and 2 more$"):
        load_experiment(write("name: sound\n"))


def test_a_value_that_fits_no_form_is_one_fault(write: Write) -> None:
    with pytest.raises(BadInput) as neither:
        load_experiment(write(TEXT), ["backtest.costs=free"])
    assert str(neither.value).endswith("should be 'instrument' or should be a section of keys and values; found 'free'")
    with pytest.raises(BadInput) as half:
        load_experiment(write(TEXT), ["backtest.costs={commission: {kind: bps, value: 1}}"])
    assert str(half.value).endswith("backtest.costs.slippage: is missing and has no default")


def test_a_merged_key_is_told_at_the_section_that_merges_it(write: Write) -> None:
    merged = "folds:\n  <<: {kind: cpcv, groups: four}\n  embargo: 1 bar"
    text = TEXT.replace("folds: {kind: cpcv, groups: 4}", merged)
    with pytest.raises(BadInput, match=r"x\.yaml:7: folds\.groups: .*found 'four'"):
        load_experiment(write(text))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("folds: 5 events cannot fill 8 groups", ":6: "),
        ("SYN-A: 900 decisions are more than decisions.limit = 100", ":4: "),
        ("models.linear: no model is called so", ":8: "),
        ("symbol FOO fits nothing", ": "),
    ],
)
def test_a_fault_found_at_work_is_told_at_the_line_of_the_key_it_names(write: Write, said: str, told: str) -> None:
    file = write(TEXT)
    with pytest.raises(BadInput) as fault, experiment_at_hand(file):
        raise BadInput(said)
    assert str(fault.value) == f"{file}{told}{said}"


def test_a_fault_of_a_data_file_is_told_as_it_is(write: Write) -> None:
    said = "data/ES.csv, row 3 (line 4): high 3 is below low 4"
    with pytest.raises(BadInput) as fault, experiment_at_hand(write(TEXT)):
        raise BadInput(said)
    assert str(fault.value) == said


def test_anything_else_that_fails_at_work_is_left_alone(write: Write) -> None:
    with pytest.raises(ZeroDivisionError), experiment_at_hand(write(TEXT)):
        raise ZeroDivisionError


@given(text=st.text(max_size=200))
def test_no_text_at_all_makes_anything_but_a_bad_input(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(BadInput, match=r"any\.yaml"):
        load_experiment(path)


@given(
    line=st.integers(0, TEXT.count("\n") - 1), at=st.integers(0, 40), what=st.sampled_from("\t{}[]:,'\"&*!|>%@`-?#x0")
)
def test_one_slip_of_the_pen_gives_an_experiment_or_a_message_with_the_file(
    line: int, at: int, what: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = TEXT.splitlines()
    at = min(at, len(lines[line]))
    lines[line] = lines[line][:at] + what + lines[line][at:]
    path = tmp_path_factory.getbasetemp() / "slip.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    try:
        assert isinstance(load_experiment(path), Experiment)
    except BadInput as error:
        assert str(error).startswith(str(path))  # noqa: PT017  # either outcome is right


PLACES = (
    "name", "seed", "bars", "bars.source", "bars.markets", "bars.markets.SYN-A", "decisions", "decisions.timeframe",
    "decisions.events", "decisions.events.kind", "features", "features.include", "features.keep", "labels",
    "labels.kind", "labels.up", "labels.volatility", "folds", "folds.kind", "folds.groups", "folds.embargo", "models",
    "models.linear", "models.linear.uses", "models.linear.params", "stack", "stack.steps", "backtest",
    "backtest.costs", "verdict.alpha", "execution.on", "track",
)  # fmt: skip
VALUES = (
    "null", "true", "-1", "0", "2", "0.5", "x", "''", "[]", "[a]", "[1, {kind: x}]", "{}", "{kind: x}", "{kind: 5}",
    "{kind: null}", "{kind: [a]}", "{source: 3}", "{a: {b: c}}", "2020-01-01", "9" * 30,
)  # fmt: skip


@given(place=st.sampled_from(PLACES), value=st.sampled_from(VALUES))
def test_any_value_anywhere_gives_an_experiment_or_a_message_that_names_where_it_came_from(
    place: str, value: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "sound.yaml"
    path.write_text(TEXT, encoding="utf-8")
    try:
        assert isinstance(load_experiment(path, [f"{place}={value}"]), Experiment)
    except BadInput as error:
        assert str(error).startswith((f"--set {place}={value}: ", str(path)))  # noqa: PT017  # either outcome is right


def test_a_key_that_is_itself_a_mapping_is_told_and_no_traceback(tmp_path):
    path = tmp_path / "odd.yaml"
    path.write_text("name: odd\nbars: {{SYN-A: {edge: 0.2}}: 1}\n")
    with pytest.raises(BadInput, match="a key is not plain text"):
        load_experiment(path)
    path.write_text("name: odd\n")
    with pytest.raises(BadInput, match="--set bars="):
        load_experiment(path, ["bars={{a: 1}: 2}"])
