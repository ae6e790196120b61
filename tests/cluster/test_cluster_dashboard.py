"""The Grafana dashboard and the Prometheus configuration, against what a run on Ray really exports."""

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from cluster.local import LocalCluster
from cluster.local.nodes import environment
from tests.cluster.conftest import SMALL

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = json.loads((ROOT / "cluster" / "grafana" / "farm.json").read_text(encoding="utf-8"))
PROMETHEUS = YAML(typ="safe").load(ROOT / "cluster" / "prometheus" / "prometheus.yml")
AFTER_A_WHILE = 10  # seconds: metrics are sent every few

Scrape = dict[str, set[str]]


def queries() -> list[str]:
    """Every query of the dashboard: those of its panels and of its variables."""
    panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return panels + [one["definition"] for one in DASHBOARD["templating"]["list"] if one["type"] == "query"]


def names_and_labels(query: str) -> tuple[set[str], set[str]]:
    """Metrics and labels that a query names."""
    matched = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", query)
    grouped = [label.strip() for by in re.findall(r"\bby \((.*?)\)", query) for label in by.split(",")]
    listed = re.findall(r"label_values\(\w+, (\w+)\)", query)
    return set(re.findall(r"\bray_\w+", query)), {*matched, *grouped, *listed}


def test_the_dashboard_shows_all_that_a_run_is_watched_for() -> None:
    shown = " ".join(queries())
    for fact in ("done", "reused", "failed", "queued", "rate", "efficiency", "seconds_left"):
        assert f"ray_farm_fits_{fact}" in shown
    for phase in ("panels", "studies"):
        assert f"ray_farm_{phase}_done" in shown
    for other in ("ray_node_mem_used", "ray_object_store_used_memory", "ray_farm_best_deflated"):
        assert other in shown


def test_no_panel_lies_over_another_and_none_is_wider_than_the_page() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)


@pytest.fixture(scope="module")
def scrape(tmp_path_factory: pytest.TempPathFactory) -> Scrape:
    """Labels by metric, as Prometheus would read them by its configuration while an experiment runs."""
    folder = tmp_path_factory.mktemp("watched")
    (folder / "small.yaml").write_text(SMALL)
    seen: Scrape = defaultdict(set)
    with LocalCluster(cpus=1) as cluster:
        command = [str(Path(sys.executable).parent / "farm"), "run", "small.yaml", "--address", cluster.address]
        own = {**environment(), "FARM_HOME": str(folder / "home")}
        with (folder / "run.log").open("xb") as log:
            run = subprocess.Popen(command, cwd=folder, env=own, stdout=log, stderr=log)
        ended: float | None = None
        while ended is None or time.monotonic() < ended + AFTER_A_WHILE:
            if ended is None and run.poll() is not None:
                ended = time.monotonic()
            read_into(seen, cluster)
            time.sleep(0.5)
    assert run.returncode == 0, (folder / "run.log").read_text()
    return seen


def read_into(seen: Scrape, cluster: LocalCluster) -> None:
    listing_of_nodes = Path(PROMETHEUS["scrape_configs"][0]["file_sd_configs"][0]["files"][0]).name
    for listing in cluster.folder.glob(f"*/{listing_of_nodes}"):
        groups: list[dict[str, Any]] = json.loads(listing.read_text())
        for target in {target for group in groups for target in group["targets"]}:
            try:
                with urllib.request.urlopen(f"http://{target}/metrics", timeout=5) as page:
                    lines = page.read().decode().splitlines()
            except OSError:  # a node that is only starting
                continue
            for line in lines:
                if not line.startswith("#"):
                    name, _, labels = line.partition("{")
                    seen[name] |= set(re.findall(r"(\w+)=\"", labels))


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.parametrize("query", queries())
def test_every_query_names_metrics_and_labels_that_are_really_exported(scrape: Scrape, query: str) -> None:
    names, labels = names_and_labels(query)
    assert names
    assert names <= set(scrape), f"not exported: {sorted(names - set(scrape))}"
    for name in names:
        assert labels <= scrape[name], f"{name} has no label {sorted(labels - scrape[name])}"


@pytest.mark.ray
@pytest.mark.slow
def test_every_count_of_every_phase_is_exported_under_the_experiments_name(scrape: Scrape) -> None:
    for phase in ("panels", "fits", "studies"):
        for fact in ("total", "done", "reused", "failed", "queued", "rate", "seconds"):
            assert "experiment" in scrape[f"ray_farm_{phase}_{fact}"]
    assert {"experiment", "symbol", "trial"} <= scrape["ray_farm_best_deflated"]
