"""The end of a sweep: its document, with the judgement of the winner.

The judge trains the winner alone, and the winner's and runner-up's settings with fresh seeds on fresh splits.
"""

import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from treino.base.errors import Refusal, TreinoError
from treino.base.resampling import Scores, auc_scores, f1_scores, of_weighted
from treino.base.words import N_, _
from treino.data.dataset import Data
from treino.engine.losses import Loss
from treino.engine.metrics import METRICS, measure, metric_name
from treino.engine.net_state import whole_state
from treino.folders.data_source import load_data
from treino.folders.documents import read_tensors
from treino.folders.documents.run_result import Baseline, RunResult
from treino.folders.documents.sweep import (
    Best,
    Certificate,
    FreshSeed,
    Judge,
    Leader,
    SmallestNetwork,
    SweepEnsemble,
    SweepResult,
)
from treino.folders.store import RunFolder
from treino.folders.stored_folder import try_or_note
from treino.folders.stored_run import StoredRun
from treino.inspection.baselines import baselines
from treino.inspection.outputs import outputs
from treino.settings.spec import OF_DATA, read_settings
from treino.training.search import judge
from treino.training.sweeps.bracket import judged_rows
from treino.training.sweeps.distribution import Distribution
from treino.training.sweeps.ensemble import alike, greedy_ensemble, networks
from treino.training.sweeps.populations import (
    GroupOrder,
    SharedRows,
    for_gpu,
    group_order,
    groups,
    settings_of,
)
from treino.training.sweeps.sweep_members import (
    PREPARED,
    SweepProgress,
    SweepTraining,
    as_json,
    extension_notes,
)
from treino.training.train import drain, train_events

JUDGE_WITHOUT_SCORES = Refusal(
    "judge_without_scores",
    N_("no network was measured on validation rows."),
    N_("See the sweep's other notes."),
)

BEST = "best"
LEADERS = 50


def sweep_result(folder: RunFolder, sweep: SweepTraining, progress: SweepProgress) -> SweepResult:
    """The sweep's document without the judgement."""
    last = sweep.rows.last()
    status = [row["status"] for row in last]
    notes = [*sweep.data.notes, *sweep.notes, *extension_notes(sweep), *_diverged_notes(sweep)]
    document = {
        "sweep": folder.path.name,
        "path": str(folder.path),
        "status": sweep.status,
        "members": len(last),
        "finished": status.count("finished"),
        "diverged": status.count("diverged"),
        "stopped": status.count("stopped"),
        "seconds": sweep.seconds,
        "model_steps": progress.model_steps,
        "model_steps_per_second": progress.model_steps / sweep.seconds if sweep.seconds else 0.0,
        "metric": sweep.metric,
        "strategy": sweep.options.strategy,
        "sampler": sweep.options.sampler,
        "target": sweep.data.target,
        "task": sweep.data.task,
        "rows": {split: len(rows) for split, rows in sweep.data.splits.items()},
        "best": None,
        "leaderboard": leaderboard(sweep),
        "judge": None,
        "notes": notes,
        **({"extensions": sweep.extensions} if sweep.extensions else {}),
        **({"processors": _processors(sweep)} if sweep.processors else {}),
    }
    return SweepResult.model_validate(document)


def _processors(sweep: SweepTraining) -> dict[str, list[int]]:
    return {kind: sorted(members) for kind, members in sweep.processors.items()}


def _diverged_notes(sweep: SweepTraining) -> list[str]:
    if sweep.status != "diverged":
        return []
    return [_("Every network diverged: there is no best. Try smaller learning rates.")]


def with_judgement(result: SweepResult, folder: RunFolder, sweep: SweepTraining) -> SweepResult:
    """The result of the sweep with its judgement; failures become notes.

    Raises:
        TreinoError: a system error.
    """
    notes: list[str] = []
    found: dict[str, Any] = {}
    if sweep.top:
        found = _judged(result, folder, sweep, notes)
    elif sweep.status != "diverged":
        notes.append(_("No network has a validation {metric}: there is no best.").format(metric=sweep.metric))
    return result.model_copy(update={**found, "notes": (*result.notes, *notes)})


def _judged(result: SweepResult, folder: RunFolder, sweep: SweepTraining, notes: list[str]) -> dict[str, Any]:
    """``best``, ``judge`` and ``ensemble`` of the result. notes: collects sentences."""
    winner, failures = sweep.top[0].member, list[str]()
    facts = {"n": winner, "sweep": folder.path.name}
    again = _("Train it again: treino train [[like={sweep}:{n}]]").format(**facts)
    what = _("Training network {n} alone").format(**facts)
    trained = try_or_note(failures, what, again, partial(winner_run, folder, sweep, winner))
    found: dict[str, Any] = {"best": _best(result.leaderboard[0], trained and trained[0])}
    if trained is None:
        _remove(folder.within(BEST))
    else:
        what, shown = _("Judging network {n}").format(**facts), _("Its own figures are there.")
        judged = try_or_note(failures, what, shown, partial(judgement, folder, sweep, *trained))
        if judged is not None:
            found["judge"] = judged[0]
            notes += judged[1]
        what, alone = _("Choosing networks that answer together"), _("The winner answers alone.")
        if sweep.options.ensemble > 1:
            made = try_or_note(failures, what, alone, partial(_ensemble, folder, sweep, trained[0]))
            found |= {} if made is None else {"ensemble": made}
    if sweep.base.get("threshold") is not None:
        notes.append(
            _("Networks are compared by their most probable classes: the threshold is the best one's.")
        )
    notes += failures
    return found


def _ensemble(folder: RunFolder, sweep: SweepTraining, winner: StoredRun) -> SweepEnsemble:
    """The networks chosen for the ensemble, and its metrics."""
    kept = alike(folder, sweep.top)
    nets, numbers = networks(folder, winner, kept), [k.member for k in kept]
    return greedy_ensemble(nets, numbers, sweep.data, winner, sweep.metric, sweep.options.ensemble)


def _best(leader: Leader, run: StoredRun | None) -> Best:
    """The winner: its metrics from training alone; without ``run``, its metrics from the sweep."""
    result = None if run is None else run.result
    return Best(
        member=leader.member,
        params=leader.params,
        validation=leader.validation if result is None else result.metrics.validation,
        test=None if result is None else result.metrics.test,
        parameters=leader.parameters,
        run=None if run is None else str(run.path),
    )


def leaderboard(sweep: SweepTraining) -> list[Leader]:
    """The best members, each at the last rung it reached; without test metrics."""
    better = METRICS[sweep.metric].better
    fine = [row for row in sweep.rows.last() if row["best"] is not None]
    fine.sort(key=lambda row: (-better * row["best"], row.get("validation_loss") or 0.0, row["member"]))
    return [
        Leader(
            member=row["member"],
            rung=row["rung"],
            params=as_json(sweep.configs[row["member"]]),
            validation={
                k.removeprefix("validation_"): v for k, v in row.items() if k.startswith("validation_")
            }
            | {sweep.metric: row["best"]},
            parameters=row["parameters"],
            epochs=row["epochs"],
            status=row["status"],
        )
        for row in fine[:LEADERS]
    ]


# ---- the winner trained alone


def winner_run(folder: RunFolder, sweep: SweepTraining, member: int) -> tuple[StoredRun, Certificate]:
    """Train the member alone, as a run in the sweep folder; compare its weights bitwise to the sweep's,
    unless these are of a kernel that is no more."""
    row = next(r for r in sweep.rows.last() if r["member"] == member)
    (group,) = groups({member: sweep.settings(member)}, sweep.data_for, sweep.networks)
    settings = dict(sweep.base) | sweep.configs[member] | {"engine": row["engine"]}
    kept = next(k for k in sweep.top if k.member == member)
    early = row["status"] == "stopped"
    if early and group.config.shared.schedule == "constant":
        # stopped by time or target: train only up to the kept weights, regardless of patience
        settings = {k: v for k, v in settings.items() if k != "epochs"}
        settings |= {"steps": row["kept_step"], "patience": group.config.shared.patience}
    if isinstance(sweep.source, Data):
        settings = {k: v for k, v in settings.items() if k not in OF_DATA}
    path = folder.within(BEST)
    _remove(path)  # left by a sweep killed while judging
    own = read_settings(settings | {"out": str(path)})
    run = drain(train_events(sweep.source, own, networks=sweep.networks))
    mine = whole_state(run.module)
    if early and group.config.shared.schedule != "constant":  # a shorter training would change the schedule
        again = replace(group, config=group.config.with_settings(engine=row["engine"])).training()
        while again.step < row["step"]:
            again.advance(None, until=row["step"])
        mine = whole_state(again.net(0))
    state = kept.state
    same = mine.keys() == state.keys() and all(
        torch.equal(_bits(mine[name]), _bits(state[name])) for name in mine
    )
    return run, Certificate(same_bits=same, engine=row["engine"], steps=row["kept_step"])


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)


def _bits(t: Tensor) -> Tensor:
    return t.contiguous().flatten().view(torch.uint8)


# ---- the judge


def judgement(
    folder: RunFolder, sweep: SweepTraining, run: StoredRun, certificate: Certificate
) -> tuple[Judge, list[str]]:
    """The ``judge`` entry of the document, and notes."""
    classes, several = bool(sweep.data.classes), len(sweep.data.by_target) > 1
    shown = "accuracy" if classes else "loss" if several else "rmse"  # of several numbers the units differ
    scale = sweep.data.target_scale
    members, choose, scores, rows = _row_scores(folder, sweep)
    scores = choose if shown == "loss" else scores
    turned = None if classes or several else (lambda mean: -(-mean).clamp(min=0).sqrt() * scale)
    no_means: dict[str, Callable[[Tensor, Tensor], Scores]] = {"f1_macro": f1_scores, "auc": auc_scores}
    decides = None if several else no_means.get(sweep.metric)
    weight_N = judged_rows(sweep.data).weight
    chosen = (
        judge.by_rows(choose, None, rows.get("weight"))
        if decides is None
        else of_weighted(decides(choose, rows["target"]), weight_N)
    )
    report = judge.by_rows(scores, turned, weight_N)
    bias = judge.selection_bias(chosen, len(members), choose.shape[1], report=report)
    winner = sweep.top[0].member
    rows_of = {row["member"]: row for row in sweep.rows.last()}
    each = report(None).tolist()
    parameters = [rows_of[m]["parameters"] for m in members]
    smallest = members[judge.smallest_within(parameters, each, bias.best, bias.error)]
    runner_up = sweep.top[1].member if len(sweep.top) > 1 else None
    fresh, notes = fresh_seeds(sweep, winner, runner_up, shown)
    result = run.result
    assert result is not None
    test = (result.metrics.test or {}).get(shown)
    interval = result.intervals.known.get(shown)
    if not METRICS[sweep.metric].judged:
        notes.append(
            _("How much of the best is luck is told by {shown}: rows have no scores of {metric}.").format(
                shown=shown, metric=sweep.metric
            )
        )
    share = len(sweep.data.test) / max(1, len(sweep.data.train))
    sign = METRICS[shown].better
    strongest = _strongest(result, shown)
    constant = next(iter(result.baseline), None)
    if not len(sweep.data.test):
        notes.append(
            _(
                "There are no test rows, so nothing says what the best is worth on new ones: add"
                " [[test=0.15]]."
            )
        )

    def p_beats(name: Baseline | None) -> float | None:
        if not fresh or name is None:
            return None
        known = [(f.test, f.baseline.get(name)) for f in fresh]
        return judge.p_beats([sign * (test - (test if b is None else b)) for test, b in known], share)

    p_constant, p_strongest, p_runner = p_beats(constant), p_beats(strongest), None
    if pairs := [sign * (f.test - f.runner_up) for f in fresh if f.runner_up is not None]:
        p_runner = judge.p_beats(pairs, share)
    verdict = sentence = None
    if p_constant is not None and p_strongest is not None:
        verdict = judge.verdict(p_constant, p_strongest, p_runner)
    if verdict is not None and strongest is not None and test is not None and interval is not None:
        facts = judge.VerdictFacts(
            metric=metric_name(shown),
            test=test,
            interval=interval,
            rows=len(sweep.data.test),
            seen=sign * bias.best,
            inflation=bias.inflation,
            baseline=strongest,
            runner_up=runner_up,
            smaller=smallest if rows_of[smallest]["parameters"] < rows_of[winner]["parameters"] else None,
            share=rows_of[smallest]["parameters"] / rows_of[winner]["parameters"],
        )
        sentence = judge.sentence(verdict, facts)
    return Judge(
        verdict=verdict,
        sentence=sentence,
        metric=shown,
        seen=sign * bias.best,
        expected_inflation=bias.inflation,
        expected_inflation_again=bias.other_inflation,
        standard_error=bias.error,
        test=test,
        test_interval=interval,
        fresh_seeds=tuple(fresh),
        runner_up=runner_up,
        p_beats_runner_up=p_runner,
        p_beats_baseline=p_strongest,
        p_beats_constant=p_constant,
        baseline=strongest,
        smallest_within_1se=SmallestNetwork(
            member=smallest,
            parameters=rows_of[smallest]["parameters"],
            params=as_json(sweep.configs[smallest]),
        ),
        certificate=certificate,
    ), notes


def _row_scores(
    folder: RunFolder, sweep: SweepTraining
) -> tuple[list[int], Tensor, Tensor, dict[str, Tensor]]:
    """All brackets' members; deciding and shown scores ``[M, N]``; rows' weights and targets ``[N]``."""
    members: list[int] = []
    choose, shown = [], []
    rows: dict[str, Tensor] = {}
    for number in range(sweep.done):
        tensors, _meta = read_tensors(folder, f"rows/{number}.safetensors")
        if len(tensors.get("member", ())):
            members += tensors["member"].tolist()
            choose.append(tensors["choose"])
            shown.append(tensors["shown"])
            rows |= {name: tensors[name] for name in ("weight", "target") if name in tensors}
    if not members:
        raise JUDGE_WITHOUT_SCORES()
    return members, torch.cat(choose), torch.cat(shown), rows


def _strongest(result: RunResult, shown: str) -> Baseline | None:
    """The baseline with the best test metric; None if no baseline has one."""
    better = METRICS[shown].better
    figures = {name: of[shown] for name, of in result.baseline.items() if of is not None}
    known = {name: better * value for name, value in figures.items() if value is not None}
    return max(known, key=lambda name: known[name], default=None)


LEAST_S = 30.0  # fresh seeds take no longer than the sweep or, if longer, this
FEWEST = 3
WAIT_SECONDS = 1.0

Outcome = tuple[dict[int, float], dict[str, dict[str, float]]] | TreinoError
"""Each network's test metric and the baselines' test metrics; or the error that prevented them."""


@dataclass(frozen=True, eq=False)
class FreshTraining:
    """One seed: its split of the rows, and the winner and the runner-up before their first step.

    failure: why the seed can't be trained.
    """

    seed: int
    data: Data
    orders: Sequence[GroupOrder] = ()
    failure: TreinoError | None = None


def fresh_seeds(
    sweep: SweepTraining, winner: int, runner_up: int | None, metric: str
) -> tuple[list[FreshSeed], list[str]]:
    """Each seed's test metrics of the winner, the runner-up and the baselines; and notes."""
    notes: list[str] = []
    if not sweep.options.fresh or not len(sweep.data.test):
        return [], notes
    fixed, trained, beaten = _fixed_split(sweep), list[FreshSeed](), dict[str, float]()
    begin, limit = time.perf_counter(), max(LEAST_S, sweep.seconds)
    for number, (fresh, outcome) in enumerate(_outcomes(sweep, winner, runner_up, metric, fixed), 1):
        if isinstance(outcome, TreinoError):  # such as a class missing in this training split
            notes.append(_("A fresh split could not be trained on: {why}").format(why=outcome))
            continue
        test, measured = outcome
        if measured:
            beaten = {name: figures[metric] for name, figures in measured.items()}
        second = test.get(1, math.nan)
        if math.isfinite(test[0]):
            trained.append(
                FreshSeed.model_validate(
                    {
                        "seed": fresh.seed,
                        "data_seed": fresh.data.data_seed,
                        "test": test[0],
                        "runner_up": second if math.isfinite(second) else None,
                        "baseline": beaten,
                    }
                )
            )
        if time.perf_counter() - begin > limit and FEWEST <= number < sweep.options.fresh:
            notes.append(
                _(
                    "{n} of {wanted} fresh seeds were trained: the judge takes no longer than the sweep."
                ).format(n=len(trained), wanted=sweep.options.fresh)
            )
            break
    if sweep.distribution is not None:
        sweep.distribution.stop()
    if fixed and trained:
        notes.append(_("The split is fixed: fresh seeds vary the initialisation and the order alone."))
    return trained, notes


def _outcomes(
    sweep: SweepTraining, winner: int, runner_up: int | None, metric: str, fixed: bool
) -> Iterator[tuple[FreshTraining, Outcome]]:
    """Yield each seed's outcome; with a fixed split, only the first has baselines."""
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
    """Yield outcomes in seed order, trained on the cluster; submit at most two tasks per slot at once."""
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
    """Train the groups completely. Return each member's test metric."""
    figure_of: dict[int, float] = {}
    for order in orders:
        group = order.group([data])
        training = group.training()
        for _tick in training:
            pass
        for row, member in enumerate(group.members):
            rows = group.data.test
            out = outputs(training.net(row), rows.x, item_shape=training.shared.item_shape)
            loss: Loss = training.loss_function
            figures: dict[str, Any] = measure(out[None], rows.y, loss, data.scale, rows.weight)
            figure_of[member] = float(figures[metric][0])
    return figure_of


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
            populations = groups(pair, again.data_for, sweep.networks)
            if cluster is not None:  # keep the kernel that would run locally
                populations = [for_gpu(group) for group in populations] if cluster.gpus else populations
                populations = [
                    group.part(range(len(group.members)), group.training()) for group in populations
                ]
            orders = [group_order(group, cluster) for group in populations]
        except TreinoError as error:
            yield FreshTraining(seed, again.data, failure=error)
        else:
            yield FreshTraining(seed, again.data, orders)


def _fixed_split(sweep: SweepTraining) -> bool:
    """Whether the split can't be redrawn: rows are a ``Data``, or a column, a file or a time decides it."""
    fixed = ("split_time", "split_column")
    shared = settings_of({}, sweep.base, 0)
    files = any(isinstance(getattr(shared, name), str) for name in ("validation", "test"))
    return (
        isinstance(sweep.source, Data)
        or sweep.data.official_test
        or files
        or any(getattr(shared, name) is not None for name in fixed)
    )
