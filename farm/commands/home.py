"""The home that a command works on."""

import os
from typing import Annotated

import typer

Home = Annotated[
    str | None, typer.Option("--home", help="The home, a path or an fsspec URI; default: FARM_HOME, else .farm here.")
]


def home_of(home: str | None) -> str:
    """The home that was given, else FARM_HOME, else ``.farm`` in the working directory; a path is made absolute."""
    from farm.store.files import full_home

    return full_home(home or os.environ.get("FARM_HOME") or ".farm")
