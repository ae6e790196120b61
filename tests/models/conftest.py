from pathlib import Path

import pytest

from farm.models import installed


@pytest.fixture
def with_plug_in(monkeypatch):
    """The catalog of a process in which the package of the folder `plug_in` is installed."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "plug_in"))
    return installed.__wrapped__()
