"""The judge's own trainings: the winner's and the runner-up's settings with fresh seeds on fresh splits."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from treino.data.dataset import Data
from treino.engine.metrics import measure
from treino.errors import TreinoError
from treino.inspection.baselines import baselines
from treino.inspection.outputs import outputs
from treino.records.data_source import load_data
from treino.tuning.distribution import Distribution
from treino.tuning.populations import GroupOrder, for_gpu, group_order, groups, settings_of
from treino.tuning.shared_data import SharedRows
from treino.tuning.sweep_state import PREPARED, SweepTraining
from treino.words import _

LEAST_S = 30.0  # they take no longer than the sweep did, or this
FEWEST = 3
WAIT_SECONDS = 1.0

Outcome = tuple[dict[int, float], dict[str, dict[str, float]]] | TreinoError
"""Each network's figure on the test rows, and the baselines' metrics there; or why there are none."""


@dataclass(frozen=True, eq=False)
class FreshTraining:
    """One seed: the rows as it splits them, and the winner and the runner-up before their first step.

    failure: why it can't be trained.
    """

    seed: int
    data: Data
    orders: Sequence[GroupOrder] = ()
    failure: TreinoError | None = None


def fresh_seeds(
    sweep: SweepTraining, winner: int, runner_up: int | None, metric: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """Test figures of both and of the baselines, for each seed; and notes."""
    notes: list[str] = []
    if not sweep.options.fresh or not len(sweep.data.test):
        return [], notes
    fixed, found, beaten = _fixed_split(sweep), list[dict[str, Any]](), dict[str, float]()
    begin, limit = time.perf_counter(), max(LEAST_S, sweep.seconds)
    for number, (fresh, outcome) in enumerate(_outcomes(sweep, winner, runner_up, metric, fixed), 1):
        if isinstance(outcome, TreinoError):  # such as a class of which no row fell into this training part
            notes.append(_("A fresh split could not be trained on: {why}").format(why=outcome))
            continue
        test, measured = outcome
        if measured:
            beaten = {name: figures[metric] for name, figures in measured.items()}
        second = test.get(1, math.nan)
        found.append(
            {
                "seed": fresh.seed,
                "data_seed": fresh.data.data_seed,
                "test": test[0],
                "runner_up": second if math.isfinite(second) else None,
                "baseline": beaten,
            }
        )
        if time.perf_counter() - begin > limit and FEWEST <= number < sweep.options.fresh:
            notes.append(
                _(
                    "{n} of {wanted} fresh seeds were trained: the judge takes no longer than the sweep."
                ).format(n=len(found), wanted=sweep.options.fresh)
            )
            break
    if sweep.distribution is not None:
        sweep.distribution.stop()
    if fixed and found:
        notes.append(_("The split is fixed: fresh seeds vary the initialisation and the order alone."))
    return [f for f in found if math.isfinite(f["test"])], notes


def _outcomes(
    sweep: SweepTraining, winner: int, runner_up: int | None, metric: str, fixed: bool
) -> Iterator[tuple[FreshTraining, Outcome]]:
    """Seed by seed, what it came to; the baselines once, where the split is fixed."""
    trainings = _trainings(sweep, winner, runner_up, fixed)
    if sweep.distribution is not None:
        yield from _distributed(trainings, sweep.distribution, metric, fixed)
        return
    known = False
    for fresh in trainings:
        outcome = fresh.failure or _outcome(fresh.orders, metric, not (fixed and known), fresh.data)
        known = known or not isinstance(outcome, TreinoError)
        yield fresh, outcome


def _distributed(
    trainings: Iterator[FreshTraining], distribution: Distribution, metric: str, fixed: bool
) -> Iterator[tuple[FreshTraining, Outcome]]:
    """In the order of the seeds, whoever is done first; no more wait in the cluster than it has places."""
    cluster, ahead = distribution.cluster, list[tuple[FreshTraining, int]]()
    done: dict[int, Outcome] = {}
    while True:
        while len(ahead) < 2 * cluster.slots and (fresh := next(trainings, None)) is not None:
            ticket = -1
            if fresh.failure is None:
                rows = distribution.share(fresh.data) if fixed else cluster.share(fresh.data)
                name = f"{distribution.title}: judge, seed {fresh.seed}"
                ticket = cluster.submit(_outcome, fresh.orders, metric, True, shared=[rows], name=name)
            ahead.append((fresh, ticket))
        if not ahead:
            return
        fresh, ticket = ahead.pop(0)
        while fresh.failure is None and ticket not in done:
            done |= {end.ticket: end.value for end in cluster.ended(WAIT_SECONDS)}
        yield fresh, fresh.failure or done.pop(ticket)


def _outcome(orders: Sequence[GroupOrder], metric: str, beaten: bool, data: Data) -> Outcome:
    try:
        return _test_figures(orders, data, metric), baselines(data).metrics if beaten else {}
    except TreinoError as error:
        return error


def _test_figures(orders: Sequence[GroupOrder], data: Data, metric: str) -> dict[int, float]:
    """Train groups from their first step to their last: each member's figure on the test rows."""
    found: dict[int, float] = {}
    for order in orders:
        group = order.group(data)
        training = group.training()
        for _tick in training:
            pass
        for row, member in enumerate(group.members):
            rows = group.data.test
            out = outputs(training.net(row), rows.x, item_shape=training.shared.item_shape)
            figures: dict[str, Any] = measure(out[None], rows.y, training.loss_function, data.target_scale)
            found[member] = float(figures[metric][0])
    return found


def _trainings(
    sweep: SweepTraining, winner: int, runner_up: int | None, fixed: bool
) -> Iterator[FreshTraining]:
    members = [winner] if runner_up is None else [winner, runner_up]
    first = max(sweep.settings(member).seed for member in members)
    cluster = None if sweep.distribution is None else sweep.distribution.cluster
    for k in range(1, sweep.options.fresh + 1):
        seed = first + 1000 + k
        own = {"seed": seed} if fixed else {"seed": seed, "data_seed": seed}
        pair = {
            place: settings_of({**sweep.configs[member], **own}, sweep.base, member)
            for place, member in enumerate(members)
        }
        again = sweep
        try:
            if not fixed:
                data = load_data(sweep.source, pair[0])
                rows = SharedRows(sweep.source, data, settings_of({}, sweep.base, 0), PREPARED)
                again = replace(sweep, data=data, data_for=rows)
            found = groups(pair, again.data_for, sweep.networks)
            if cluster is not None:  # the kernel is the one that it would have here
                found = [for_gpu(group) for group in found] if cluster.gpus else found
                found = [group.part(range(len(group.members)), group.training()) for group in found]
            orders = [group_order(group, cluster) for group in found]
        except TreinoError as error:
            yield FreshTraining(seed, again.data, failure=error)
        else:
            yield FreshTraining(seed, again.data, orders)


def _fixed_split(sweep: SweepTraining) -> bool:
    """Whether the rows can't be parted anew: they are loaded, or a column, a file or their time says how."""
    fixed = ("split_time", "split_column")
    shared = settings_of({}, sweep.base, 0)
    files = any(isinstance(getattr(shared, name), str) for name in ("validation", "test"))
    return (
        isinstance(sweep.source, Data)
        or sweep.data.official_test
        or files
        or any(getattr(shared, name) is not None for name in fixed)
    )
