"""A run from experiment to report: prepare, record the trials, fit, judge, decide, write."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from farm.config import Experiment
from farm.errors import Failed
from farm.ledger import Trial, told
from farm.models import Catalog, installed
from farm.report import write_report
from farm.run.beforehand import check_before_work
from farm.run.budget import Spending, rounds_of, without_unfitted
from farm.run.cards import cards_of
from farm.run.executor import Executor, Work, executor_for
from farm.run.files import write_stacked, write_trials
from farm.run.fitting import fit_rounds, note
from farm.run.folder import RunFolder, open_run
from farm.run.index import refresh_index
from farm.run.judge import JudgeSpec, StudyJudged, judge_study, stored_judgement
from farm.run.leaders import Leaders
from farm.run.log import RunLog
from farm.run.needs import NEEDS, needs_of
from farm.run.plan import StudyPlan, plan_study, roles_of
from farm.run.progress import Steps
from farm.run.search import Listener, search_studies
from farm.run.studies import at_home, prepare_studies
from farm.run.summary import summarise
from farm.run.tracking import deliver_pending, deliver_run
from farm.run.trials import by_symbol, earlier_trials, finish_trials, lost_trials, start_trials
from farm.run.work import ChunkDone, Failure
from farm.search import Budget
from farm.store import HomeFailed, Store
from farm.verdict import decide


@dataclass(frozen=True)
class RunResult:
    """A finished run: its folder, its summary, and how its fits went."""

    folder: RunFolder
    summary: dict[str, Any]
    fits: dict[str, int]
    efficiency: dict[str, Any]

    @property
    def failed(self) -> bool:
        """Whether more fits failed than the experiment allows."""
        return self.fits["failed"] > self.fits["allowed_failures"]


def run(experiment: Experiment, *, fresh: bool = False) -> RunResult:
    """Run an experiment, or go on where it stopped: what is stored is not computed again.

    Raises
    ------
    BadInput
        Anything wrong with the experiment or its data, found before the first fit and before the run's folder is made.
    Failed
        The run cannot go on, by the table of `farm.run.faults`; what was finished is stored.
    """
    catalog = installed()
    check_before_work(experiment, catalog)
    try:
        Store(experiment.where).create()
        executor = executor_for(experiment.execution, experiment.threads, experiment.where)
        try:
            return _run(experiment, catalog, executor, fresh=fresh)
        finally:
            # Not before the end: a job's working folder may be removed when its driver leaves the cluster.
            executor.close()
    except HomeFailed:
        raise
    except OSError as error:
        if str(error.filename).startswith(experiment.where):
            raise Failed(f"{error}; what was finished is stored, and the same command goes on from there") from error
        raise


def _run(experiment: Experiment, catalog: Catalog, executor: Executor, *, fresh: bool) -> RunResult:
    store = Store(experiment.where)
    studies, skipped = prepare_studies(experiment, executor, catalog)
    folder = open_run(experiment)
    log = RunLog(folder.path / "log.jsonl", folder.run_id)
    log.write("started", experiment=experiment.name, studies=len(studies), executor=executor.describe())
    for one in skipped:
        log.write("skipped", symbol=one.symbol, reason=one.reason)
    folder.write("experiment.yaml", _resolved(experiment))
    start = folder.manifest()["starts"]
    spending = Spending(Budget() if experiment.search is None else experiment.search.budget)
    asked: list[ChunkDone] = []
    found = search_studies(
        experiment,
        studies,
        catalog,
        executor,
        spending,
        Listener(lambda chunk: note(chunk, asked, log), log.fault),
        (folder.run_id, folder.name, start),
    )
    if found.by_symbol:
        studies = [plan_study(experiment, study.prepared, catalog, found.of(study.symbol)) for study in studies]
    folder.write_json(NEEDS, needs_of(studies))
    start_trials(experiment, studies, folder)
    chunks = [chunk for study in studies for chunk in study.chunks]
    if fresh:
        for chunk in chunks:
            store.discard("fits", chunk.key)
    sent = [replace(chunk, run=folder.name, start=start) for chunk in chunks]
    watch = partial(executor.report, experiment=experiment.name)
    rounds = rounds_of(sent, experiment.search)
    done, left, fit_phase = fit_rounds(store, executor, rounds, log, spending, memory=_memory(studies), watch=watch)
    stopped = found.stopped or (spending.spent() if left else None)
    if left:
        studies = [without_unfitted(study, left, str(stopped)) for study in studies]
    failures = [*found.failures, *(failure for chunk in done for failure in chunk.failures)]
    history = told(experiment.where)
    judged = _judge(experiment, executor, studies, history.trials, roles_of(experiment, catalog), failures, log)
    verdicts = decide([judged[study.symbol].evidence for study in studies], experiment.verdict, n_skipped=len(skipped))
    summary = summarise(experiment, studies, judged, verdicts, failures, skipped, stopped)
    _write_results(store, folder, studies, judged, failures, summary)
    made = [*(chunk for chunk in asked if chunk.outcome != "reused"), *done]
    wanted = {chunk.key: chunk.n_fits for chunk in chunks} | {chunk.key: chunk.n_fits for chunk in asked}
    fits = {
        "total": sum(wanted.values()),
        "done": sum(chunk.n_fits - len(chunk.failures) for chunk in made),
        "reused": sum(wanted.values()) - sum(chunk.n_fits for chunk in made) - sum(chunk.n_fits for chunk in left),
        "failed": len(failures),
        "allowed_failures": experiment.execution.max_failed_fits,
    }
    heads = finish_trials(experiment, studies, judged, failures)
    folder.update_manifest(
        fits=fits,
        efficiency=fit_phase,
        executor=executor.describe(),
        ledger_heads=heads,
        history=history.heads_on(symbol for study in studies for symbol in study.prepared.symbols),
        data={symbol: found for study in studies for symbol, found in study.prepared.fingerprints.items()},
        cards=cards_of(experiment),
        failures=[failure.__dict__ for failure in failures],
        finished_at=datetime.now(UTC).isoformat(),
    )
    write_report(folder.path)
    folder.keep("report.html", "log.jsonl")
    result = RunResult(folder, summary, fits, fit_phase)
    folder.update_manifest(status="failed" if result.failed else "done")
    if experiment.track:
        tracked = deliver_run(folder, experiment.track.uri, experiment.where)
        earlier = deliver_pending(experiment.where) if tracked["status"] == "delivered" else ()
        for run_id, one in ((folder.run_id, tracked), *earlier):
            log.write("tracked", run=run_id, status=one["status"])
    problem = refresh_index(experiment.where)
    if problem is not None:
        log.write("index not written", error=problem)
    log.write("finished", verdict=summary["verdict"], fits=fits, efficiency=fit_phase)
    folder.keep("log.jsonl")
    return result


def _memory(studies: Sequence[StudyPlan]) -> int:
    """Bytes that one fit may need beside the panel, which all share: its training rows and the model's copy of them."""
    return 2 * max(study.prepared.n_bytes for study in studies)


def _judge(
    experiment: Experiment,
    executor: Executor,
    studies: Sequence[StudyPlan],
    trials: Sequence[Trial],
    roles: dict[str, Any],
    failures: Sequence[Failure],
    log: RunLog,
) -> dict[str, StudyJudged]:
    failed: dict[str, set[str]] = defaultdict(set)
    for failure in failures:
        failed[failure.symbol].add(failure.model)
    tried = by_symbol(trials)
    specs = []
    for study in studies:
        others = earlier_trials(study, tried)
        keys = tuple(trial.returns_key for trial in others if trial.returns_key is not None)
        lost = lost_trials(study, failed[study.symbol])
        without = len(others) - len(keys) + sum(trial.role == "candidate" for trial in lost)
        failed_here = tuple(sorted(failed[study.symbol]))
        own_part = at_home(experiment.of(study.symbol))
        specs.append(JudgeSpec(own_part, study, roles, failed_here, keys, without, experiment.n_studies))
    stored = {spec.study.symbol: stored_judgement(spec) for spec in specs}
    judged = {symbol: one for symbol, one in stored.items() if one is not None}
    watch = partial(executor.report, experiment=experiment.name)
    leaders = Leaders(watch)
    with Steps("studies", len(specs), len(judged), watch=watch, log=log.progress) as steps:
        missing = [spec for spec in specs if spec.study.symbol not in judged]
        work = Work("judge studies", judge_study, lambda spec: spec.study.symbol, few=2)
        for one in executor.map(work, missing):
            judged[one.symbol] = one
            leaders.judged(one.evidence)
            log.write("study", symbol=one.symbol, rows_proved=one.proof["rows_checked"])
            steps.advance()
    return judged


def _write_results(
    store: Store,
    folder: RunFolder,
    studies: Sequence[StudyPlan],
    judged: dict[str, StudyJudged],
    failures: Sequence[Failure],
    summary: dict[str, Any],
) -> None:
    keys = [judged[study.symbol].key for study in studies]
    write_stacked(folder.path / "oof.parquet", store, "oof", keys)
    write_stacked(folder.path / "returns.parquet", store, "returns", keys)
    trials = [trial for study in studies for trial in study.trials]
    failed = {(failure.symbol, failure.model) for failure in failures}
    status = dict.fromkeys((trial.identity for trial in trials), "finished")
    for study in studies:
        for trial in lost_trials(study, {model for symbol, model in failed if symbol == study.symbol}):
            status[trial.identity] = "failed" if study.aside_of(trial.name) is None else "killed"
    write_trials(folder.path / "trials.parquet", trials, status)
    folder.keep("oof.parquet", "returns.parquet", "trials.parquet")
    folder.write_json(NEEDS, needs_of(studies, list(judged.values())))
    folder.write_json("summary.json", summary)


def _resolved(experiment: Experiment) -> str:
    from io import StringIO

    from ruamel.yaml import YAML

    text = StringIO()
    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # typed None by ruamel
    yaml.dump(experiment.model_dump(mode="json"), text)
    return text.getvalue()
