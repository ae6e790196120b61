"""Experiments as jobs of a token-protected cluster of two nodes: ways in, exit codes, stopping, and what is seen."""

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.local import LocalCluster
from cluster.local.nodes import environment
from tests.cluster.conftest import SMALL

pytestmark = [pytest.mark.ray, pytest.mark.slow]

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster() as one:
        yield one


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with an experiment in it, and files that have no business on a cluster."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "small.yaml").write_text(SMALL)
    (folder / ".rayignore").write_text("data/\n")
    (folder / "data").mkdir()
    (folder / "data" / "secret.csv").write_text("not for travelling")
    return folder


def command(project: Path, home: Path | str | None, *arguments: str) -> subprocess.Popen[str]:
    own = {} if home is None else {"FARM_HOME": str(home)}
    return subprocess.Popen(
        [str(BIN / arguments[0]), *arguments[1:]],
        cwd=project, env={**environment(), **own}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = process.communicate(timeout=280)
    return process.returncode, output


def manifest(home: Path) -> dict:
    return json.loads((home / "runs/small/latest/manifest.json").read_text())


def test_a_submitted_experiment_streams_its_progress_and_leaves_its_results_in_the_home(
    cluster: LocalCluster, project: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    code, output = ended(command(project, home, "farm", "submit", "small.yaml", "--address", cluster.dashboard))
    assert code == 0, output
    ending = re.search(r"^fits: (\d+)/\1, [0-9.]+ s\b", output, re.MULTILINE)
    assert ending is not None, output
    assert "report: " in output
    assert (home / "runs/small/latest/report.html").stat().st_size > 1000
    executor = manifest(home)["executor"]
    assert executor["workers"] == 2
    assert executor["submission_id"].startswith("raysubmit_")
    again, output = ended(
        command(project, home, "farm", "submit", "small.yaml", "--address", cluster.dashboard, "--require-pass")
    )
    assert again == 3, output
    assert f"fits: 0 done, {ending[1]} reused" in output


def test_the_plain_way_of_submitting_works_as_well(cluster: LocalCluster, project: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    code, output = ended(
        command(
            project, None, "ray", "job", "submit", "--address", cluster.dashboard, "--working-dir", ".",
            "--runtime-env-json", json.dumps({"env_vars": {"FARM_HOME": str(home)}}), "--", "farm", "run", "small.yaml",
        )
    )  # fmt: skip
    assert code == 0, output
    assert "succeeded" in output
    assert manifest(home)["status"] == "done"


def test_a_job_that_was_stopped_half_way_goes_on_when_it_is_submitted_again(
    cluster: LocalCluster, project: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    first = command(project, home, "farm", "submit", "small.yaml", "--address", cluster.dashboard)
    deadline = time.monotonic() + 200
    while not list(home.glob("fits/*/*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert first.stdout is not None
    job = next(found for line in first.stdout if (found := re.search(r"raysubmit_\w+", line)))
    ended(command(project, None, "ray", "job", "stop", job[0], "--address", cluster.dashboard))
    code, output = ended(first)
    if code == 0:
        pytest.skip("the job was finished before it could be stopped")
    assert code == 1, output
    assert "goes on from there" in output
    code, output = ended(command(project, home, "farm", "submit", "small.yaml", "--address", cluster.dashboard))
    assert code == 0, output
    assert manifest(home)["fits"]["reused"] > 0
    assert manifest(home)["starts"] == 2


def test_a_home_that_the_nodes_do_not_share_is_refused(cluster: LocalCluster, project: Path) -> None:
    """Every process has another working folder, so this absolute path is another place for each of them."""
    unshared = "/proc/self/cwd/home"
    code, output = ended(command(project, unshared, "farm", "run", "small.yaml", "--address", cluster.address))
    assert code == 2, output
    assert f"home {unshared} is not shared: the cluster's node" in output
    assert not (project / "home" / "runs").exists()


def test_what_is_wrong_is_told_before_anything_is_submitted(cluster: LocalCluster, project: Path) -> None:
    submit = ("farm", "submit", "small.yaml", "--address")
    code, output = ended(command(project, "relative/home", *submit, cluster.dashboard))
    assert code == 2
    assert "absolute path that all its nodes share" in output
    code, output = ended(command(project, "/shared", *submit, cluster.dashboard, "--set", "folds.groups=1"))
    assert code == 2
    assert "folds.groups" in output
    code, output = ended(command(project, "/shared", *submit, "http://127.0.0.1:9"))
    assert code == 2
    assert "no Ray cluster takes jobs at http://127.0.0.1:9" in output
    assert "Traceback" not in output


def test_a_run_shows_its_fits_among_the_metrics_of_ray(cluster: LocalCluster, project: Path, tmp_path: Path) -> None:
    process = command(project, tmp_path / "home", "farm", "run", "small.yaml", "--address", cluster.address)
    seen: dict[str, float] = {}
    while process.poll() is None:
        seen |= scraped(cluster)
        time.sleep(0.5)
    code, output = ended(process)
    assert code == 0, output
    assert seen["ray_farm_fits_done"] > 0
    assert seen["ray_farm_fits_cpu_seconds"] > 0
    assert {"ray_farm_fits_failed", "ray_farm_fits_reused", "ray_farm_fits_queued"} <= set(seen)


def scraped(cluster: LocalCluster) -> dict[str, float]:
    """Farm's metrics as Prometheus would read them from every node that Ray tells it about."""
    found: dict[str, float] = {}
    for listing in cluster.folder.glob("*/prom_metrics_service_discovery.json"):
        for target in {target for group in json.loads(listing.read_text()) for target in group["targets"]}:
            try:
                with urllib.request.urlopen(f"http://{target}/metrics", timeout=5) as page:
                    lines = page.read().decode().splitlines()
            except OSError:  # a node that is only starting
                continue
            values = (line.rpartition(" ") for line in lines if line.startswith("ray_farm_"))
            found |= {name.partition("{")[0]: float(value) for name, _, value in values}
    return found
