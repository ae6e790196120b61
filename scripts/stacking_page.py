"""`make docs-stacking`: docs/stacking.md and its figure from the designs of farm.calibrate, seeds 0 to 11."""

import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

import matplotlib as mpl
import numpy as np
from scipy.stats import t

from farm.calibrate.designs import DESIGNS, OVERLAP, ROWS, Design
from farm.calibrate.stacking import COST, GROUPS, SESSION, Scores, score_seed

mpl.use("svg")

DOCS = Path(__file__).parents[1] / "docs"
SEEDS = 12
STACKS = ("ordinary stack", "pair nesting", "full nested")
MEASURES = {"pooled": "pooled AUC", "within": "AUC within groups", "sharpe": "net Sharpe per session"}
COLOURS = {"ordinary stack": "#D55E00", "pair nesting": "#0072B2", "full nested": "#009E73"}

HEAD = f"""# Stacking that does not leak

Written by `make docs-stacking` (seeds 0 to {SEEDS - 1}); every number below comes from `farm.calibrate`.

You know the recipe: predict every fold by base models trained on the others, train a meta-learner on those out-of-fold
predictions, and score it on out-of-fold predictions again. Each base prediction is honest. The stack is not.

Take the groups *g* and *h*. The base prediction for a row of *h* was made by a model that was trained on *g*, so it
carries something of *g*'s labels: if *g* went up a lot, models trained on it lean up everywhere else. A meta-learner
trained on *h* and scored on *g* reads that lean back. It even learns the sign: among groups predicted by models that
knew *g*, those labels are the complement of what the rest say. On noise it finds skill where there is none.

Nested cross-validation is the known cure (Varma and Simon 2006; Cawley and Talbot 2010): whatever is scored on *g* may
rest only on models that never saw *g*, all the way down. It costs many fits. CPCV with two test groups already has the
models that are needed: one for every unordered pair {{g, h}}, trained on neither. For each *g*, the pipeline F_g learns
from p(x|g), x in the other groups (models that knew neither x's group nor *g*), and serves *g* with the mean over *h*
of F_g(p(x|h)). That is **pair nesting**: N(N-1)/2 fits, and F_g is served the kind of input it was trained on.

![AUC and Sharpe of three ways to stack](stacking.svg)

{ROWS} rows, {GROUPS} groups, purged and embargoed; labels of {OVERLAP} rows where they overlap; bases: logistic
regression, 50 nearest neighbours, and 3 nearest neighbours that remember single rows. *Pooled* ranks the rows of all
groups together, *within* is the mean of the groups' own areas; the Sharpe ratio is per session of {SESSION} rows, after
a cost of {COST * 1e4:.0f} basis points a bet. Each cell is the mean over seeds with its 95% interval (Student's t).

"""

TAIL = """## How to read it

- **Where class rates drift**, the ordinary stack earns out of nothing, and by far: its pooled area and its Sharpe ratio
  are wholly above chance. Within groups there is nothing, for the leak is about which group a row is in.
- **Below a half is not a leak.** A model trained without *g* expects the class rate of the others, and the rate of what
  was left out is then lower than that by construction. The anti-correlation is the honest price of a small sample;
  nested cross-validation shows the same.
- **Pair nesting agrees with nested cross-validation** on noise and on signal, with fewer fits; the last table has the
  difference of the two, seed by seed.
- **On signal** the ordinary stack looks no better than the honest ones: the leak does not add skill, it adds belief.

What a run checks of this: every meta row carries the groups that its bases and its pipeline were trained on, and a run
with a violation is INSUFFICIENT ([verdict.md](verdict.md)).
"""


def main() -> None:
    """Write the page and its figure."""
    jobs = list(product(DESIGNS, range(SEEDS)))
    with ProcessPoolExecutor() as workers:
        found = dict(zip(jobs, workers.map(score, jobs), strict=True))
    by_design = {design: [found[design, seed] for seed in range(SEEDS)] for design in DESIGNS}
    (DOCS / "stacking.md").write_text(HEAD + tables(by_design) + TAIL, encoding="utf-8")
    figure(by_design)
    sys.stdout.write(f"{DOCS / 'stacking.md'}\n")


def score(job: tuple[Design, int]) -> dict[str, Scores]:
    """The scores of one design and seed."""
    return score_seed(*job)


def tables(by_design: dict[Design, list[dict[str, Scores]]]) -> str:
    """A table a design, and one of the differences that decide."""
    parts = []
    for design, seeds in by_design.items():
        parts.append(f"## {design.says.capitalize()}\n\n")
        parts.append(f"| | {' | '.join(MEASURES.values())} | fits |\n|---|---|---|---|---:|\n")
        for name in seeds[0]:
            cells = " | ".join(_cell([getattr(one[name], measure) for one in seeds]) for measure in MEASURES)
            parts.append(f"| {name} | {cells} | {seeds[0][name].fits} |\n")
        parts.append("\n")
    parts.append("## Differences, seed by seed (pooled AUC)\n\n")
    parts.append("| design | ordinary stack less pair nesting | pair nesting less full nested |\n|---|---|---|\n")
    for design, seeds in by_design.items():
        pairs = (("ordinary stack", "pair nesting"), ("pair nesting", "full nested"))
        cells = " | ".join(_cell([one[a].pooled - one[b].pooled for one in seeds]) for a, b in pairs)
        parts.append(f"| {design.says} | {cells} |\n")
    return "".join(parts) + "\n"


def figure(by_design: dict[Design, list[dict[str, Scores]]]) -> None:
    """One panel a measure, one row a design, a point and its interval for each way to stack."""
    from matplotlib import pyplot as plt

    plt.rcParams.update({"svg.hashsalt": "farm", "font.size": 9, "svg.fonttype": "path"})
    picture, panels = plt.subplots(1, len(MEASURES), figsize=(9.6, 3.2), sharey=True)
    for panel, (measure, title) in zip(panels, MEASURES.items(), strict=True):
        for row, seeds in enumerate(by_design.values()):
            for at, name in enumerate(STACKS):
                mean, half = _interval([getattr(one[name], measure) for one in seeds])
                panel.errorbar(
                    mean, -row - 0.22 * (at - 1), xerr=half, fmt="o", ms=4, capsize=2, color=COLOURS[name],
                    label=name if row == 0 else None,
                )  # fmt: skip
        panel.axvline(0.0 if measure == "sharpe" else 0.5, color="0.5", lw=0.8, ls="--")
        panel.set_title(title, fontsize=9)
        panel.set_yticks([-row for row in range(len(by_design))], [design.name for design in by_design])
        panel.spines[["top", "right"]].set_visible(False)
    picture.legend(*panels[0].get_legend_handles_labels(), loc="lower center", ncols=3, frameon=False)
    picture.tight_layout(rect=(0, 0.08, 1, 1))
    picture.savefig(DOCS / "stacking.svg", metadata={"Date": None})


def _interval(values: list[float]) -> tuple[float, float]:
    """Mean and half the width of its 95% interval over seeds."""
    sample = np.array(values)
    half = t.ppf(0.975, len(sample) - 1) * sample.std(ddof=1) / np.sqrt(len(sample))
    return float(sample.mean()), float(half)


def _cell(values: list[float]) -> str:
    mean, half = _interval(values)
    return f"{mean:.3f} ± {half:.3f}"


if __name__ == "__main__":
    main()
