import uuid

import pytest

from farm.ledger import FileJournal, Ledger, MemoryJournal
from farm.testing.ledger import JournalConformance, a_trial


class TestMemoryJournal(JournalConformance):
    @pytest.fixture
    def journal(self):
        return MemoryJournal()


class TestFileJournal(JournalConformance):
    @pytest.fixture
    def journal(self, tmp_path):
        return FileJournal(str(tmp_path), "study")


class TestFileJournalOnAnObjectStore(JournalConformance):
    @pytest.fixture
    def journal(self):
        return FileJournal(f"memory://{uuid.uuid4().hex}", "study")


def test_a_study_is_a_folder_of_numbered_segments(tmp_path):
    ledger = Ledger(str(tmp_path), "study")
    ledger.start([a_trial("aa")])
    ledger.finish("aa")
    assert sorted(path.name for path in (tmp_path / "ledger" / "study").iterdir()) == [
        "00000001.jsonl",
        "00000002.jsonl",
    ]


def test_what_is_no_segment_is_not_read(tmp_path):
    ledger = Ledger(str(tmp_path), "study")
    ledger.start([a_trial("aa")])
    folder = tmp_path / "ledger" / "study"
    (folder / ".0123abcd").write_bytes(b"a dead writer's draft")
    (folder / "README").write_bytes(b"hello")
    assert ledger.verify() == []
    ledger.start([a_trial("bb")])
    assert len(Ledger(str(tmp_path), "study").replay()) == 2


@pytest.mark.parametrize("study", ["real/NIFTY 50", "..", ".hidden", "BTC/USDT:USDT", "π", "a%2Fb", "A"])
def test_a_study_may_have_any_name(tmp_path, study):
    from farm.ledger.journal import studies

    Ledger(str(tmp_path), study).start([a_trial("aa")])
    assert studies(str(tmp_path)) == [study]
    assert len(list((tmp_path / "ledger").iterdir())) == 1


def test_a_study_needs_a_name(tmp_path):
    with pytest.raises(ValueError, match="study is empty"):
        Ledger(str(tmp_path), "")
