"""The studies of a run: panels prepared on workers unless they are stored, then planned."""

from functools import partial

from farm.config import Experiment
from farm.models import Catalog
from farm.pool import POOL
from farm.run.executor import Executor, Work
from farm.run.plan import StudyPlan, plan_study
from farm.run.pool import PoolSpec, prepare_member, prepare_pool, stored_member
from farm.run.prepare import PanelSpec, PreparedStudy
from farm.run.progress import Steps
from farm.run.skipped import Skipped, prepare_or_skip, refuse_if_nothing_is_left, stored_or_none


def prepare_studies(
    experiment: Experiment, executor: Executor, catalog: Catalog
) -> tuple[list[StudyPlan], list[Skipped]]:
    """The plan of every study, by symbol, and the symbols that were left out."""
    if experiment.pool is not None:
        return [plan_study(experiment, _prepare_pool(experiment, executor), catalog)], []
    symbols = experiment.bars.symbols
    stored = {symbol: stored_or_none(experiment, symbol) for symbol in symbols}
    prepared = {symbol: study for symbol, study in stored.items() if study is not None}
    skipped: list[Skipped] = []
    specs = [PanelSpec(at_home(experiment.of(symbol)), symbol) for symbol in symbols if symbol not in prepared]
    watch = partial(executor.report, experiment=experiment.name)
    with Steps("panels", len(symbols), len(prepared), watch=watch) as steps:
        work = Work("prepare panels", prepare_or_skip, lambda spec: spec.symbol)
        for one in executor.map(work, specs):
            if isinstance(one, Skipped):
                skipped.append(one)
            else:
                prepared[one.symbol] = one
            steps.advance(failed=isinstance(one, Skipped))
    skipped.sort(key=lambda one: one.symbol)
    refuse_if_nothing_is_left(skipped, len(symbols))
    return [plan_study(experiment, prepared[symbol], catalog) for symbol in sorted(prepared)], skipped


def _prepare_pool(experiment: Experiment, executor: Executor) -> PreparedStudy:
    """The one study of all symbols: each prepared by itself, then planned together."""
    symbols = sorted(experiment.bars.symbols)
    stored = {symbol: stored_member(experiment.of(symbol), symbol) for symbol in symbols}
    members = {symbol: member for symbol, member in stored.items() if member is not None}
    specs = [PanelSpec(at_home(experiment.of(symbol)), symbol) for symbol in symbols if symbol not in members]
    watch = partial(executor.report, experiment=experiment.name)
    with Steps("panels", len(symbols), len(members), watch=watch) as steps:
        for one in executor.map(Work("prepare panels", prepare_member, lambda spec: spec.symbol), specs):
            members[one.symbol] = one
            steps.advance()
    together = PoolSpec(at_home(experiment), tuple(members[symbol] for symbol in symbols))
    (study,) = executor.map(Work("plan the pool", prepare_pool, lambda _: POOL), [together])
    return study


def at_home(experiment: Experiment) -> Experiment:
    """The experiment as it travels: a worker has an environment and a working folder of its own, but the same home."""
    return experiment.model_copy(update={"home": experiment.where})
