"""The end of a sweep: its document, with the judgement of the winner.

The judge trains the winner alone, and the winner's and runner-up's settings with fresh seeds on fresh splits.
"""

import math
import shutil
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from treino.base.errors import Refusal, TreinoError
from treino.base.resampling import Scores, auc_scores, f1_scores, of_weighted
from treino.base.words import _
from treino.data.dataset import Data
from treino.engine.metrics import METRICS, measure, metric_name
from treino.engine.net_state import same_bits, whole_state
from treino.folders.access import Access
from treino.folders.data_source import load_data
from treino.folders.documents.reading import read_tensors
from treino.folders.documents.run_result import Baseline
from treino.folders.documents.sweep import (
    Best,
    Certificate,
    FreshSeed,
    Judge,
    Leader,
    SmallestNetwork,
    SweepResult,
)
from treino.folders.store import RunFolder
from treino.folders.stored_folder import try_or_note
from treino.folders.stored_run import StoredRun
from treino.inspection.baselines import baselines
from treino.inspection.outputs import outputs
from treino.settings.several import OF_MEMBERS
from treino.settings.spec import OF_DATA, read_settings
from treino.training.refit import with_refit
from treino.training.search import judge
from treino.training.sweeps.bracket import ROWS
from treino.training.sweeps.distribution import as_lists
from treino.training.sweeps.ensemble import greedy_ensemble
from treino.training.sweeps.population_training import PopulationTraining, sample
from treino.training.sweeps.populations import (
    SharedRows,
    populations_of,
    settings_of,
    shared_settings,
)
from treino.training.sweeps.sweep_members import SweepTraining, as_json, extension_notes
from treino.training.train import drain, train_events

JUDGE_WITHOUT_SCORES = Refusal("no network was measured on validation rows.", "See the sweep's other notes.")

BEST = "best"
LEADERS = 50


def sweep_result(folder: RunFolder, sweep: SweepTraining, model_steps: int) -> SweepResult:
    """The sweep's document without the judgement."""
    last = sweep.rows.last()
    status = [row["status"] for row in last]
    notes = [*sweep.data.notes, *sweep.notes, *extension_notes(sweep)]
    if sweep.status == "diverged":
        notes.append(_("Every network diverged: there is no best. Try smaller learning rates."))
    document = {
        "sweep": folder.path.name,
        "path": str(folder.path),
        "status": sweep.status,
        "members": len(last),
        "finished": status.count("finished"),
        "diverged": status.count("diverged"),
        "stopped": status.count("stopped"),
        "seconds": sweep.seconds,
        "model_steps": model_steps,
        "model_steps_per_second": model_steps / sweep.seconds if sweep.seconds else 0.0,
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
        **({"processors": as_lists(sweep.processors)} if sweep.processors else {}),
    }
    return SweepResult.model_validate(document)


def with_judgement(result: SweepResult, folder: RunFolder, sweep: SweepTraining) -> SweepResult:
    """The result of the sweep with its judgement; failures become notes.

    Raises:
        TreinoError: a system error.
    """
    notes: list[str] = []
    if not sweep.top:
        if sweep.status != "diverged":
            none = _("No network has a validation {metric}: there is no best.")
            notes.append(none.format(metric=sweep.metric))
        return result.model_copy(update={"notes": (*result.notes, *notes)})
    winner, failures = sweep.top[0].member, list[str]()
    facts = {"n": winner, "sweep": folder.path.name}
    again = _("Train it again: treino train [[like={sweep}:{n}]]").format(**facts)
    what = _("Training network {n} alone").format(**facts)
    trained = try_or_note(failures, what, again, partial(winner_run, folder, sweep, winner))
    found: dict[str, Any] = {"best": _best(result.leaderboard[0], trained and trained[0])}
    if trained is None:
        shutil.rmtree(folder.within(BEST), ignore_errors=True)
    else:
        what, shown = _("Judging network {n}").format(**facts), _("Its own figures are there.")
        judged = try_or_note(failures, what, shown, partial(judgement, folder, sweep, *trained))
        if judged is not None:
            found["judge"] = judged[0]
            notes += judged[1]
        what, alone = _("Choosing networks that answer together"), _("The winner answers alone.")
        if sweep.options.ensemble > 1:
            choose = partial(greedy_ensemble, folder, sweep.top, sweep.data, trained[0])
            made = try_or_note(failures, what, alone, partial(choose, sweep.metric, sweep.options.ensemble))
            found |= {} if made is None else {"ensemble": made}
    if sweep.base.get("threshold") is not None:
        notes.append(
            _("Networks are compared by their most probable classes: the threshold is the best one's.")
        )
    return result.model_copy(update={**found, "notes": (*result.notes, *notes, *failures)})


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
    unless these are from a kernel that no longer exists."""
    row = next(r for r in sweep.rows.last() if r["member"] == member)
    alone = {member: sweep.settings(member).model_copy(update={"engine": row["engine"]})}
    (population,) = populations_of(alone, sweep.data_for, sweep.networks, sweep.metric)
    settings = dict(sweep.base) | sweep.configs[member] | {"engine": row["engine"]}
    kept = next(k for k in sweep.top if k.member == member)
    early = row["status"] == "stopped"
    if early and population.config.shared.schedule == "constant":
        # stopped by time or target: train only up to the kept weights, regardless of patience
        settings = {k: v for k, v in settings.items() if k != "epochs"}
        settings |= {"steps": row["kept_step"], "patience": population.config.shared.patience}
    if isinstance(sweep.source, Data):
        settings = {k: v for k, v in settings.items() if k not in OF_DATA}
    path = folder.within(BEST)
    shutil.rmtree(path, ignore_errors=True)  # left by a sweep killed while judging
    own = read_settings(settings | {"out": str(path)})
    events = train_events(sweep.source, own, networks=sweep.networks)
    run = drain(with_refit(events, Access(own.net_file), sweep.source))
    mine = whole_state(run.module)
    if (
        early and population.config.shared.schedule != "constant"
    ):  # a shorter training would change the schedule
        again = population.training
        while again.step < row["step"]:
            again.advance(None, until=row["step"])
        mine = whole_state(again.net(0))
    same = same_bits(mine, kept.state)
    return run, Certificate(same_bits=same, engine=row["engine"], steps=row["kept_step"])


# ---- the judge


def judgement(
    folder: RunFolder, sweep: SweepTraining, run: StoredRun, certificate: Certificate
) -> tuple[Judge, list[str]]:
    """The ``judge`` entry of the document, and notes."""
    several = len(sweep.data.by_target) > 1
    apart = several or sweep.data.preparation.target_log  # errors have different units, or count by ratio
    shown = "accuracy" if sweep.data.classes else "loss" if apart else "rmse"
    bias, smallest = _luck(folder, sweep, shown)
    winner = sweep.top[0].member
    runner_up = sweep.top[1].member if len(sweep.top) > 1 else None
    fresh, notes = fresh_seeds(sweep, winner, runner_up, shown)
    if not METRICS[sweep.metric].judged:
        notes.append(
            _("How much of the best is luck is told by {shown}: rows have no scores of {metric}.").format(
                shown=shown, metric=sweep.metric
            )
        )
    if not len(sweep.data.test):
        notes.append(
            _(
                "There are no test rows, so nothing says what the best is worth on new ones: add"
                " [[test=0.15]]."
            )
        )
    result, sign = run.result, METRICS[shown].better
    assert result is not None
    figures = {name: of[shown] for name, of in result.baseline.items() if of is not None}
    known = {name: sign * value for name, value in figures.items() if value is not None}
    strongest = max(known, key=lambda name: known[name], default=None)  # the one with the best test metric
    share = len(sweep.data.test) / max(1, len(sweep.data.train))

    def p_beats(differences: Sequence[float]) -> float | None:
        return judge.p_beats([sign * each for each in differences], share) if differences else None

    def p_beats_baseline(name: Baseline | None) -> float | None:
        others = [] if name is None else [(f.test, f.baseline.get(name)) for f in fresh]
        return p_beats([0.0 if other is None else test - other for test, other in others])

    p_constant, p_strongest = p_beats_baseline(next(iter(result.baseline), None)), p_beats_baseline(strongest)
    p_runner = p_beats([f.test - f.runner_up for f in fresh if f.runner_up is not None])
    verdict = None
    if p_constant is not None and p_strongest is not None:
        verdict = judge.verdict(p_constant, p_strongest, p_runner)
    judged = Judge(
        verdict=verdict,
        sentence=None,
        metric=shown,
        seen=sign * bias.best,
        expected_inflation=bias.inflation,
        expected_inflation_again=bias.other_inflation,
        standard_error=bias.error,
        test=(result.metrics.test or {}).get(shown),
        test_interval=result.intervals.finite.get(shown),
        fresh_seeds=tuple(fresh),
        runner_up=runner_up,
        p_beats_runner_up=p_runner,
        p_beats_baseline=p_strongest,
        p_beats_constant=p_constant,
        baseline=strongest,
        smallest_within_1se=smallest,
        certificate=certificate,
    )
    if None not in (verdict, strongest, judged.test, judged.test_interval):
        parameters = next(row["parameters"] for row in sweep.rows.last() if row["member"] == winner)
        size = smallest.parameters / parameters
        smaller = smallest.member if size < 1 else None
        sentence = judge.sentence(judged, metric_name(shown), len(sweep.data.test), smaller, size)
        judged = judged.model_copy(update={"sentence": sentence})
    return judged, notes


def _luck(folder: RunFolder, sweep: SweepTraining, shown: str) -> tuple[judge.SelectionBias, SmallestNetwork]:
    """How much of the winner's score is luck, and the smallest network within its standard error. shown: the
    metric that is reported."""
    scale, metric = sweep.data.target_scale, sweep.metric
    members, choose, scores, rows = _row_scores(folder, sweep)
    turned = None if shown != "rmse" else (lambda mean: -(-mean).clamp(min=0).sqrt() * scale)
    weight_N = sample(sweep.data.validation, ROWS).weight
    report = judge.by_rows(choose if shown == "loss" else scores, turned, weight_N)
    no_means: dict[str, Callable[[Tensor, Tensor], Scores]] = {"f1_macro": f1_scores, "auc": auc_scores}
    if metric in no_means and len(sweep.data.by_target) == 1:
        chosen = of_weighted(no_means[metric](choose, rows["target"]), weight_N)
    else:
        chosen = judge.by_rows(choose, None, rows.get("weight"))
    bias = judge.selection_bias(chosen, len(members), choose.shape[1], report=report)
    size_of = {row["member"]: row["parameters"] for row in sweep.rows.last()}
    sizes = [size_of[member] for member in members]
    smallest = members[judge.smallest_within(sizes, report(None).tolist(), bias.best, bias.error)]
    params = as_json(sweep.configs[smallest])
    return bias, SmallestNetwork(member=smallest, parameters=size_of[smallest], params=params)


def _row_scores(
    folder: RunFolder, sweep: SweepTraining
) -> tuple[list[int], Tensor, Tensor, dict[str, Tensor]]:
    """Return all brackets' members, the scores that decide, those to show, and rows' weights and targets."""
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


LEAST_S = 30.0  # fresh seeds take no longer than the sweep or, if longer, this
FEWEST = 3


def fresh_seeds(
    sweep: SweepTraining, winner: int, runner_up: int | None, metric: str
) -> tuple[list[FreshSeed], list[str]]:
    """Each seed's test metrics of the winner, the runner-up and the baselines; and notes."""
    notes: list[str] = []
    if not sweep.options.fresh or not len(sweep.data.test):
        return [], notes
    fixed, trained, beaten = _fixed_split(sweep), list[FreshSeed](), dict[str, Any]()
    members = [winner] if runner_up is None else [winner, runner_up]
    first = max(sweep.settings(member).seed for member in members) + 1001
    begin, limit = time.perf_counter(), max(LEAST_S, sweep.seconds)
    for number, seed in enumerate(range(first, first + sweep.options.fresh), 1):
        own = {"seed": seed} if fixed else {"seed": seed, "data_seed": seed}
        pair = {
            place: settings_of({**sweep.configs[member], **own}, sweep.base, member)
            for place, member in enumerate(members)
        }
        data, data_for = sweep.data, sweep.data_for
        try:
            if not fixed:
                data = load_data(sweep.source, pair[0])
                data_for = SharedRows(sweep.source, data, shared_settings(sweep.base), OF_MEMBERS)
            test = _test_figures(populations_of(pair, data_for, sweep.networks, sweep.metric), metric)
            if not (fixed and beaten):
                measured = baselines(data).metrics
                beaten = {name: figures[metric] for name, figures in measured.items()} or beaten
        except TreinoError as error:  # such as a class missing in this training split
            notes.append(_("A fresh split could not be trained on: {why}").format(why=error))
            continue
        second = test.get(1, math.nan)
        if math.isfinite(test[0]):
            facts: dict[str, Any] = {"seed": seed, "data_seed": data.data_seed, "test": test[0]}
            facts |= {"runner_up": second if math.isfinite(second) else None, "baseline": beaten}
            trained.append(FreshSeed.model_validate(facts))
        if time.perf_counter() - begin > limit and FEWEST <= number < sweep.options.fresh:
            notes.append(
                _(
                    "{n} of {wanted} fresh seeds were trained: the judge takes no longer than the sweep."
                ).format(n=len(trained), wanted=sweep.options.fresh)
            )
            break
    if fixed and trained:
        notes.append(_("The split is fixed: fresh seeds vary the initialisation and the order alone."))
    return trained, notes


def _test_figures(pair: Sequence[PopulationTraining], metric: str) -> dict[int, float]:
    """Train the populations completely. Return each member's test metric."""
    figure_of: dict[int, float] = {}
    for population in pair:
        training, rows = population.training, population.data.test
        for _tick in training:
            pass
        for row, member in enumerate(population.members):
            out = outputs(training.net(row), rows.x, item_shape=training.model.item_shape)
            figures = measure(out[None], rows.y, training.loss_function, population.data.scale, rows.weight)
            figure_of[member] = float(figures[metric][0])
    return figure_of


def _fixed_split(sweep: SweepTraining) -> bool:
    """Whether the split can't be redrawn: rows are a ``Data``, or a column, a file or a time decides it."""
    fixed = ("split_time", "split_column")
    shared = shared_settings(sweep.base)
    files = any(isinstance(getattr(shared, name), str) for name in ("validation", "test"))
    return (
        isinstance(sweep.source, Data)
        or sweep.data.official_test
        or files
        or any(getattr(shared, name) is not None for name in fixed)
    )
