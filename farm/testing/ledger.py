"""What every journal must do, and what a ledger on it must do: inherit ``JournalConformance`` and give it a journal."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from farm.ledger import Journal, Ledger, SecondWriter, TrialStart


class JournalConformance:
    """Tests of a journal; override the fixture ``journal`` to return an empty one.

    >>> class TestMyJournal(JournalConformance):
    ...     @pytest.fixture
    ...     def journal(self):
    ...         from farm.ledger import MemoryJournal
    ...
    ...         return MemoryJournal()
    """

    @pytest.fixture
    def journal(self) -> Journal:
        """An empty journal of the kind under test."""
        raise NotImplementedError("override the fixture `journal` to return an empty journal")

    @pytest.fixture
    def ledger(self, journal: Journal) -> Ledger:
        """A ledger on the journal under test."""
        return Ledger("", "study", journal=journal)

    def test_an_empty_journal_has_no_segments(self, journal: Journal) -> None:
        """Reading before anything was written is no error."""
        assert list(journal.read(1)) == []

    def test_segments_come_back_as_they_were_given_and_in_order(self, journal: Journal) -> None:
        """Bytes are bytes: line ends, zeros and numbers past ten survive."""
        contents = [b"segment %d\r\n\x00" % number for number in range(1, 13)]
        for number, content in enumerate(contents, 1):
            journal.append(number, content)
        assert list(journal.read(1)) == list(enumerate(contents, 1))
        assert list(journal.read(11)) == [(11, contents[10]), (12, contents[11])]
        assert list(journal.read(13)) == []

    def test_law_1_a_taken_number_is_refused_and_the_segment_stays(self, journal: Journal) -> None:
        """Append-only: a segment, once written, is never changed."""
        journal.append(1, b"first")
        for content in (b"second", b"first"):
            with pytest.raises(FileExistsError):
                journal.append(1, content)
        assert list(journal.read(1)) == [(1, b"first")]

    def test_law_3_of_many_writers_at_one_number_one_succeeds(self, journal: Journal) -> None:
        """Segments are made exclusively."""

        def appended(writer: int) -> bool:
            try:
                journal.append(1, b"writer %d" % writer)
            except FileExistsError:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            wins = list(pool.map(appended, range(8)))
        assert sum(wins) == 1
        assert list(journal.read(1)) == [(1, b"writer %d" % wins.index(True))]

    def test_law_3_the_writer_who_lost_is_told_by_name(self, journal: Journal, ledger: Ledger) -> None:
        """A segment that appears between reading and writing belongs to a second writer."""
        ledger.start([a_trial("aa")])
        read = journal.read(1)
        other = Ledger("", "study", journal=_Stale(journal, read))
        ledger.start([a_trial("bb")])
        with pytest.raises(SecondWriter, match="another run of this study"):
            other.start([a_trial("cc")])
        assert [trial.identity for trial in ledger.replay()] == ["aa", "bb"]

    def test_a_trial_is_there_for_every_later_reader(self, journal: Journal, ledger: Ledger) -> None:
        """State is derived from the journal alone."""
        ledger.start([a_trial("aa"), a_trial("bb")])
        ledger.finish("aa", returns_key="00ab")
        later = Ledger("", "study", journal=journal)
        assert later.replay() == ledger.replay()
        assert later.verify([ledger.head()]) == []


def a_trial(identity: str, **changes: object) -> TrialStart:
    """A trial of the given identity, for tests; ``changes`` are fields of `TrialStart`."""
    fields: dict[str, object] = {
        "name": "boosted",
        "role": "candidate",
        "symbol": "NIFTY",
        "instrument": "index",
        "start": 0,
        "end": 100,
    }
    return TrialStart(identity, **{**fields, **changes})  # type: ignore[arg-type]  # a mapping of mixed values


class _Stale(Journal):
    """A journal whose reader has missed what was written since; its writer has not."""

    def __init__(self, journal: Journal, read: object) -> None:
        self._journal = journal
        self._read = list(read)  # type: ignore[call-overload]  # any iterable of bytes

    def read(self, first: int) -> list[tuple[int, bytes]]:
        """What was read earlier."""
        return [(number, content) for number, content in self._read if number >= first]

    def append(self, number: int, content: bytes) -> None:
        """Append to the journal as it is."""
        self._journal.append(number, content)
