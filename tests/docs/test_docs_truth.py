"""The table of known answers lists every case that the truth tests compare."""

import os
from pathlib import Path

import pytest

from scripts import truth_table


@pytest.mark.skipif("FARM_TRUTH" not in os.environ, reason="FARM_TRUTH does not name the folder of truth cases")
def test_the_page_lists_every_compared_case() -> None:
    def cases(text: str) -> list[str]:
        return [line.split("|")[1].split("/")[0].strip() for line in text.splitlines() if line.startswith("| ")]

    written = (Path(truth_table.ROOT) / "docs" / "truth.md").read_text(encoding="utf-8")
    assert set(cases(written)) == set(cases(truth_table.page())), "run `make docs`"
