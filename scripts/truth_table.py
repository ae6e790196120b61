"""`make docs`: docs/truth.md from the truth tests' own comparisons."""

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "truth.md"
HEAD = """# Known answers

Written by `make docs` from `tests/truth`. Every case is a published worked example or a number computed by a peer;
`theirs` is what it says, `difference` is ours less theirs in absolute value (for sets of rows: how many differ); the
test fails beyond the tolerance. A tolerance of nan marks a disagreement that is explained, not asserted. Where public
implementations disagree, the module docstrings of the tests say which definition is ours and why; the other defensible
definitions are named arguments, and somebody's bug is explained, never reproduced.

"""


def main() -> None:
    if not os.environ.get("FARM_TRUTH"):
        sys.exit("FARM_TRUTH does not name the folder of truth cases")
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for path in sorted((ROOT / "tests" / "truth").glob("test_truth_*.py")):
        module = _load(path)
        rows = module.results()
        parts.append(f"## {path.stem.removeprefix('test_truth_')}\n\n{(module.__doc__ or '').strip()}\n\n")
        parts.append(
            "| case | source | ours | theirs | difference | tolerance |\n| --- | --- | ---: | ---: | ---: | ---: |\n"
        )
        parts += [_line(row) for row in _gathered(rows)]
        parts.append("\n")
    return "".join(parts).rstrip() + "\n"


def _gathered(rows: list[Any]) -> list[Any]:
    """At most twelve rows a case, those that differ most: some cases compare thousands of numbers."""
    by_case: dict[str, list[Any]] = {}
    for row in rows:
        by_case.setdefault(row.case.split("/")[0], []).append(row)
    kept = []
    for case in by_case.values():
        kept += case if len(case) <= 12 else sorted(case, key=lambda row: -_size(row.difference))[:12]
    return kept


def _size(value: Any) -> float:
    return abs(float(value)) if value is not None and value == value else float("inf")


def _line(row: Any) -> str:
    source = str(row.source).replace("|", "\\|").replace("\n", " ")
    numbers = " | ".join(_shown(value) for value in (row.ours, row.theirs, row.difference, row.tolerance))
    return f"| {row.case} | {source} | {numbers} |\n"


def _shown(value: Any) -> str:
    if value is None:
        return "unknown"
    return f"{value:.8g}" if isinstance(value, int | float) else str(value).replace("|", "/")


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
