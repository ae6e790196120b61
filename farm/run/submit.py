"""An experiment as a job on a Ray cluster: checked here, run there, its log streamed, its exit code handed through."""

import asyncio
import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from farm.config import Experiment
from farm.errors import BadInput, Failed
from farm.models import installed
from farm.run.beforehand import check_before_work

_SUCCEEDED, _STOPPED = "SUCCEEDED", "STOPPED"


def submit(
    experiment: Experiment, file: Path, arguments: Sequence[str], address: str, say: Callable[[str], object]
) -> int:
    """The exit code of ``farm run`` as a job of the cluster whose dashboard is at ``address``.

    The working folder travels with the job, except for what ``.gitignore`` and ``.rayignore`` name; FARM_ variables
    of the environment are passed on. ``say`` gets the job's log as it is written. Interrupted here, the job goes on.

    Parameters
    ----------
    file
        The experiment's file, in the working folder or below.
    arguments
        Options of ``farm run`` for the job.

    Raises
    ------
    BadInput
        The experiment is wrong, its home is none that a cluster can share, or no cluster answers at the address.
    Failed
        The job ended without an exit code: it was stopped, or its node was lost.
    """
    _require_shared_home(experiment, address)
    check_before_work(experiment, installed())
    client = _client(address)
    job = client.submit_job(
        entrypoint=shlex.join(["farm", "run", _relative(file), *arguments]),
        runtime_env={"working_dir": ".", "env_vars": _variables()},
        metadata={"experiment": experiment.name},
    )
    say(f"farm: job {job} runs {experiment.name}; `ray job stop {job} --address {address}` stops it\n")
    asyncio.run(_stream(client, job, say))
    details = client.get_job_info(job)
    if details.driver_exit_code is not None and details.status != _STOPPED:
        return int(details.driver_exit_code)
    if details.status == _SUCCEEDED:
        return 0
    raise Failed(
        f"job {job} ended as {details.status}: {details.message}; what was finished is stored, and submitting the "
        "same experiment again goes on from there"
    )


def _require_shared_home(experiment: Experiment, address: str) -> None:
    given = experiment.home or os.environ.get("FARM_HOME")
    if not (given and ("://" in given or Path(given).expanduser().is_absolute())):
        raise BadInput(
            f"home is {given or 'not set'} and the job goes to the cluster at {address}; set home (or FARM_HOME) to an "
            "absolute path that all its nodes share, or to the URI of an object store"
        )


def _relative(file: Path) -> str:
    try:
        return str(file.resolve().relative_to(Path.cwd()))
    except ValueError as error:
        raise BadInput(
            f"{file} is not in the working folder {Path.cwd()}, which is what travels with a job; submit from the "
            "folder that holds it"
        ) from error


def _variables() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name.startswith("FARM_")}
    return {**own, "RAY_AUTH_MODE": os.environ.get("RAY_AUTH_MODE", "token")}


def _client(address: str) -> Any:
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    from ray.exceptions import AuthenticationError
    from ray.job_submission import JobSubmissionClient

    try:
        return JobSubmissionClient(address)
    except (AuthenticationError, ConnectionError, RuntimeError, ValueError) as error:
        raise BadInput(
            f"no Ray cluster takes jobs at {address}: {error}; give the dashboard's address, such as "
            "http://HOST:8265, and the cluster's token (RAY_AUTH_TOKEN, or ~/.ray/auth_token)"
        ) from error


async def _stream(client: Any, job: str, say: Callable[[str], object]) -> None:
    async for lines in client.tail_job_logs(job):
        say(lines)
