"""Law 9: tampering shows."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.ledger import BrokenChain, Ledger
from farm.ledger.segment import GENESIS, decode, encode
from farm.testing.ledger import a_trial


class Chain:
    """Four segments on disk, and hands that tamper with them."""

    def __init__(self, home):
        self.ledger = Ledger(str(home), "study")
        self.ledger.start([a_trial("aa"), a_trial("bb")])
        self.middle = (self.ledger.finish("aa", returns_key="ab"), self.ledger.head())[1]
        self.ledger.start([a_trial("cc")])
        self.ledger.fail("cc", "no memory")
        self.head = self.ledger.head()
        self.home = home

    def path(self, number, study="study"):
        return self.home / "ledger" / study / f"{number:08d}.jsonl"

    def problems(self, *heads):
        return Ledger(str(self.home), "study").verify(heads)

    def rewrite(self, numbers, keep):
        """Write the segments again with consistent hashes, only with the records that ``keep`` accepts."""
        previous = decode(self.path(numbers[0] - 1).read_bytes()).hash if numbers[0] > 1 else GENESIS
        for number in numbers:
            records = [record for record in decode(self.path(number).read_bytes()).records if keep(record)]
            content = encode("study", number, previous, records)
            self.path(number).write_bytes(content)
            previous = decode(content).hash


@pytest.fixture
def chain(tmp_path):
    return Chain(tmp_path)


def test_an_untouched_chain_has_no_problems_and_contains_its_heads(chain):
    assert chain.problems(GENESIS, chain.middle, chain.head) == []


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_deleted_segment_shows(chain, number):
    chain.path(number).unlink()
    assert any(f"segment {number} is missing" in problem for problem in chain.problems())


def test_a_deleted_tail_shows_by_the_head(chain):
    chain.path(4).unlink()
    assert chain.problems() == []  # a shorter chain is a chain: this is why heads are kept elsewhere
    assert f"head {chain.head} is not in the chain" in chain.problems(chain.middle, chain.head)[0]


def test_a_ledger_that_is_gone_shows_by_the_head(chain):
    for number in range(1, 5):
        chain.path(number).unlink()
    assert len(chain.problems(chain.head)) == 1


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_an_edited_record_shows(chain, number):
    content = chain.path(number).read_bytes()
    edited = content.replace(b'"aa"', b'"ee"').replace(b'"cc"', b'"ee"')
    assert edited != content
    chain.path(number).write_bytes(edited)
    assert any(f"segment {number} is cut short or edited" in problem for problem in chain.problems())


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_segment_rewritten_with_its_own_hash_shows_in_the_next(chain, number):
    chain.rewrite([number], keep=lambda record: record.identity == "bb")
    assert any(f"segment {number + 1} does not follow" in problem for problem in chain.problems())


def test_a_chain_rewritten_to_its_end_shows_by_the_head(chain):
    chain.rewrite([3, 4], keep=lambda record: False)
    assert chain.problems() == []
    assert chain.problems(chain.middle) == []
    assert len(chain.problems(chain.head)) == 1


def test_swapped_segments_show(chain):
    third, fourth = chain.path(3).read_bytes(), chain.path(4).read_bytes()
    chain.path(3).write_bytes(fourth)
    chain.path(4).write_bytes(third)
    problems = chain.problems()
    assert "segment 3 was written as number 4" in problems
    assert "segment 4 was written as number 3" in problems


def test_a_repeated_segment_shows(chain):
    chain.path(5).write_bytes(chain.path(4).read_bytes())
    assert "segment 5 was written as number 4" in chain.problems()


def test_a_segment_of_another_study_shows(chain):
    other = Ledger(str(chain.home), "other")
    other.start([a_trial("aa")])
    chain.path(1).write_bytes(chain.path(1, "other").read_bytes())
    assert "segment 1 is one of study 'other'" in chain.problems()


@given(data=st.data())
def test_any_changed_byte_and_any_cut_shows(tmp_path_factory, data):
    chain = Chain(tmp_path_factory.mktemp("chain"))
    path = chain.path(data.draw(st.integers(1, 4)))
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        path.write_bytes(content[:place])
    else:
        path.write_bytes(
            content[:place] + bytes([content[place] ^ data.draw(st.integers(1, 255))]) + content[place + 1 :]
        )
    assert chain.problems() != []


def test_no_count_comes_from_a_broken_chain_and_nothing_is_added_to_it(chain):
    chain.path(2).unlink()
    broken = Ledger(str(chain.home), "study")
    for use in (broken.replay, broken.head, lambda: broken.start([a_trial("dd")])):
        with pytest.raises(BrokenChain, match="segment 2 is missing"):
            use()
    assert not chain.path(5).exists()


def test_one_head_may_be_given_as_text(chain):
    assert chain.ledger.verify(chain.head) == []


def test_a_segment_can_be_checked_without_farm(chain):
    line = f"head -n -1 {chain.path(1)} | sha256sum"
    said = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout.split()[0]
    assert said == decode(chain.path(1).read_bytes()).hash
