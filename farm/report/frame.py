"""What every page is made with: templates, our own style and scripts, and text that is safe within them."""

import json
import zlib
from base64 import b64encode
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from farm.report.wording import FILTERS
from farm.store import whole_file


def rendered(template: str, **values: Any) -> str:
    """A page from its template, with the style and the script that all pages share."""
    return (
        _environment().get_template(template).render(style=own_file("page.css"), shell=own_file("shell.js"), **values)
    )


def own_file(name: str) -> Any:
    """A file of ours that the template must not escape."""
    return safe((resources.files("farm.report") / "templates" / name).read_text(encoding="utf-8"))


def script_json(value: object) -> Any:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return safe(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def safe(text: str) -> Any:
    """Text of our own, or made safe already, that the template must not escape."""
    from markupsafe import Markup

    return Markup(text)


def packed(html: str) -> Any:
    """A part of a page as base64 of its deflated bytes, which the page's own script unpacks when it is wanted."""
    return safe(b64encode(zlib.compress(html.encode(), 9)).decode())


def write_whole(path: Path, html: str) -> Path:
    """Write a page under a temporary name first, so that nobody meets half of it; its path."""
    with whole_file(path) as draft:
        draft.write_text(html, encoding="utf-8")
    return path


@cache
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("farm.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS | {"packed": packed}
    return environment
