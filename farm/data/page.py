"""A page of descriptions with plots: one file that needs no network."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from farm.data.buckets import buckets
from farm.data.describe import Description
from farm.errors import BadInput

_MOST_BUCKETS = 1500
_DIGITS = 7


def write_page(found: Sequence[Description], path: Path) -> None:
    """Write one self-contained HTML page, a section a file; equal descriptions make equal pages."""
    if not path.parent.is_dir():
        raise BadInput(f"--html {path}: there is no folder {path.parent}")
    html = _render(found)
    temporary = path.with_name(f".{path.name}.writing")
    try:
        temporary.write_text(html, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise BadInput(f"--html {path}: cannot be written ({error.strerror}); give another file") from error
    finally:
        temporary.unlink(missing_ok=True)


def _render(found: Sequence[Description]) -> str:
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    return str(
        _template().render(
            found=found,
            plots=Markup(_json([_plot(one) for one in found])),  # escaped for a script element by _json
            plotly=Markup(get_plotlyjs()),  # the package's own script
        )
    )


def _plot(one: Description) -> dict[str, Any]:
    drawn = buckets(one.bars, _MOST_BUCKETS)
    return {
        "time": [f"{at}Z" for at in drawn.start.view("datetime64[ns]").astype("datetime64[s]")],
        **{name: _values(getattr(drawn, name)) for name in ("high", "low", "close", "volume")},
        "holes": [[gap.start, gap.end] for gap in one.largest_holes],
    }


def _values(values: Any) -> list[float | None]:
    return [None if np.isnan(value) else float(f"{value:.{_DIGITS}g}") for value in values]


def _json(value: object) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("farm.data"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("describe.html.j2")
