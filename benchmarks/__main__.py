"""`make bench`: every benchmark beside its peers, as one table, which is written to docs/benchmarks.md.

`make bench-check` runs them again and fails when a ratio has fallen to less than half of what the page says.
"""

import re
import subprocess
import sys
from pathlib import Path

from benchmarks import cpcv_splits, features, fit_phase, labels, memory, overheads, pooled, stacking_peer, stats

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Written by `make bench`; `make bench-check` fails when a ratio falls below half of what stands here. Every tool runs in
its own process, results are compared before times, and a time is the median of several runs. `ratio` is the tool's
seconds over Farm's at the same work: 10 means that Farm took a tenth of the time. The machine has 2 cores and is
shared, so ratios travel better than seconds.

"""


# Benchmarks that say in a few lines what they found, by what the page calls them.
PRINTED = {
    "search": "Bins that the configurations of a split share",
    "utilisation": "How busy dispatch keeps 64 workers",
    "streaming": "Panels of 200 symbols under a cap of memory",
}


def main() -> None:
    if "--check" in sys.argv:
        check(kernels())
    else:
        rows = kernels()
        sections = [
            fit_phase.as_markdown(fit_phase.rows()),
            memory.section(),
            overheads.section(),
            pooled.section(),
            stacking_peer.section(),
            *(printed(module, heading) for module, heading in PRINTED.items()),
        ]
        PAGE.write_text("\n".join([HEAD + as_markdown(rows), *sections]))
        print(PAGE.read_text())


def printed(module: str, heading: str) -> str:
    """What a benchmark prints, as a section of the page; CalledProcessError where it fails by its own measure."""
    command = [sys.executable, "-m", f"benchmarks.{module}"]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    said = "\n".join(line for line in told if "(raylet)" not in line)  # Ray repeats its daemon's warnings there
    return f"## {heading}\n\n`python -m benchmarks.{module}`:\n\n```text\n{said}\n```\n"


def kernels() -> list[dict]:
    return [*cpcv_splits.rows(), *labels.rows(), *stats.rows(), *features.rows()]


def as_markdown(rows: list[dict]) -> str:
    lines = ["| work | tool | seconds | ratio | peak MiB |", "| --- | --- | ---: | ---: | ---: |"]
    for row in rows:
        seconds = "-" if row["seconds"] is None else f"{row['seconds']:.3g}"
        ratio = (
            "-" if row["ratio"] is None else f"{row['ratio']:,.3g}" if row["ratio"] < 1000 else f"{row['ratio']:,.0f}"
        )
        peak = row.get("peak_mib")
        lines.append(
            f"| {row['work']} | {row['tool']} | {seconds} | {ratio} | {'' if peak is None else f'{peak:,.1f}'} |"
        )
    return "\n".join(lines) + "\n"


def check(rows: list[dict]) -> None:
    """Compare ratios with the page's; exit 1 naming every one that fell by half."""
    written = {
        (work.strip(), tool.strip()): float(ratio.replace(",", ""))
        for work, tool, ratio in re.findall(
            r"^\| (.+?) \| (.+?) \| [^|]+ \| ([0-9.,e+]+) \|", PAGE.read_text(), re.MULTILINE
        )
    }
    fallen = []
    for row in rows:
        before = written.get((row["work"], row["tool"]))
        if row["ratio"] is None or before is None or row["tool"] == "farm":
            continue
        print(f"{row['work']}, {row['tool']}: {row['ratio']:,.3g}, on the page {before:,.3g}")
        if row["ratio"] < before / 2:
            fallen.append(f"{row['work']}, {row['tool']}")
    if fallen:
        sys.exit("fell below half of the page's ratio: " + "; ".join(fallen))


if __name__ == "__main__":
    main()
