"""The end of a sweep: the winner trained alone and judged, the document written, the folder sealed."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from treino.data.dataset import Data
from treino.documents import read_tensors
from treino.documents.run_result import RunResult
from treino.engine.metrics import METRICS
from treino.engine.net_state import whole_state
from treino.errors import TreinoError
from treino.pictures.illustration import illustrated
from treino.plots.style import metric_name
from treino.records.failure_notes import try_or_note
from treino.records.stored_run import StoredRun
from treino.resampling import Scores, auc_scores, f1_scores
from treino.search import judge
from treino.spec import OF_DATA, read_settings
from treino.store import RunFolder
from treino.training.train import drain, train_events
from treino.tuning.ensemble import alike, networks
from treino.tuning.extension import extension_notes
from treino.tuning.fresh_seeds import fresh_seeds
from treino.tuning.greedy_ensemble import greedy_ensemble
from treino.tuning.populations import groups
from treino.tuning.sweep_state import SweepProgress, SweepTraining
from treino.words import _

BEST = "best"
LEADERS = 50


def sweep_document(folder: RunFolder, sweep: SweepTraining, progress: SweepProgress) -> dict[str, Any]:
    """The document without the judgement."""
    last = sweep.rows.last()
    status = [row["status"] for row in last]
    return {
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
        "notes": [*sweep.data.notes, *sweep.notes, *extension_notes(sweep), *_diverged_notes(sweep)],
        **({"extensions": sweep.extensions} if sweep.extensions else {}),
        **({"processors": _processors(sweep)} if sweep.processors else {}),
    }


def _processors(sweep: SweepTraining) -> dict[str, list[int]]:
    return {kind: sorted(members) for kind, members in sweep.processors.items()}


def _diverged_notes(sweep: SweepTraining) -> list[str]:
    if sweep.status != "diverged":
        return []
    return [_("Every network diverged: there is no best. Try smaller learning rates.")]


def finish_sweep(folder: RunFolder, sweep: SweepTraining, progress: SweepProgress) -> dict[str, Any]:
    """Judge the sweep, write its document and seal the folder. What fails of the judging becomes a note.

    Raises:
        TreinoError: a failing machine.
    """
    document = sweep_document(folder, sweep, progress)
    if sweep.top:
        winner = sweep.top[0].member
        failures: list[str] = []
        facts = {"n": winner, "sweep": folder.path.name}
        again = _("Train it again: treino train [[like={sweep}:{n}]]").format(**facts)
        what = _("Training network {n} alone").format(**facts)
        trained = try_or_note(failures, what, again, partial(winner_run, folder, sweep, winner))
        document["best"] = _best(document["leaderboard"][0], trained and trained[0])
        if trained is None:
            _remove(folder.within(BEST))
        else:
            what, shown = _("Judging network {n}").format(**facts), _("Its own figures are there.")
            found = try_or_note(failures, what, shown, partial(judgement, folder, sweep, *trained))
            document["judge"], said = found or (None, [])
            document["notes"] += said
            what, alone = _("Choosing networks that answer together"), _("The winner answers alone.")
            if sweep.options.ensemble > 1:
                made = try_or_note(failures, what, alone, partial(_ensemble, folder, sweep, trained[0]))
                document |= {"ensemble": made} if made is not None else {}
        document["notes"] += failures
    elif sweep.status != "diverged":
        document["notes"].append(
            _("No network has a validation {metric}: there is no best.").format(metric=sweep.metric)
        )
    folder.write_json("result.json", document)
    folder.seal(sweep.status)
    return document


def _ensemble(folder: RunFolder, sweep: SweepTraining, winner: StoredRun) -> dict[str, Any]:
    """The networks of the sweep that answer together, and what that is worth."""
    kept = alike(folder, sweep.top)
    nets, numbers = networks(folder, winner, kept), [k.member for k in kept]
    loss, places = winner.loss_function, sweep.options.ensemble
    return greedy_ensemble(nets, numbers, sweep.data, loss, sweep.metric, places)


def _best(leader: Mapping[str, Any], run: StoredRun | None) -> dict[str, Any]:
    """The winner: as it is trained alone, or as it was among the others."""
    found = {name: leader[name] for name in ("member", "params", "validation", "parameters")}
    if run is None:
        return found | {"test": None, "run": None}
    result = run.result
    assert result is not None
    metrics = result.metrics
    return found | {"validation": metrics.validation, "test": metrics.test, "run": str(run.path)}


def leaderboard(sweep: SweepTraining) -> list[dict[str, Any]]:
    """The best members at the last rung that each reached; no test figure is among theirs."""
    better = METRICS[sweep.metric].better
    fine = [row for row in sweep.rows.last() if row["best"] is not None]
    fine.sort(key=lambda row: (-better * row["best"], row.get("validation_loss") or 0.0, row["member"]))
    return [
        {
            "member": row["member"],
            "rung": row["rung"],
            "params": sweep.configs[row["member"]],
            "validation": {
                k.removeprefix("validation_"): v for k, v in row.items() if k.startswith("validation_")
            }
            | {sweep.metric: row["best"]},
            "parameters": row["parameters"],
            "epochs": row["epochs"],
            "status": row["status"],
        }
        for row in fine[:LEADERS]
    ]


# ---- the winner by itself


def winner_run(folder: RunFolder, sweep: SweepTraining, member: int) -> tuple[StoredRun, dict[str, Any]]:
    """Train the member by itself, as a run in the sweep's folder; compare its weights bit for bit."""
    row = next(r for r in sweep.rows.last() if r["member"] == member)
    (group,) = groups({member: sweep.settings(member)}, sweep.data_for, sweep.networks)
    settings = dict(sweep.base) | sweep.configs[member] | {"engine": row["engine"]}
    kept = next(k for k in sweep.top if k.member == member)
    early = row["status"] == "stopped"
    if early and group.config.shared.schedule == "constant":
        # time was over, or enough was reached: up to the weights that are kept, whatever the patience
        settings = {k: v for k, v in settings.items() if k != "epochs"}
        settings |= {"steps": row["kept_step"], "patience": group.config.shared.patience}
    if isinstance(sweep.source, Data):
        settings = {k: v for k, v in settings.items() if k not in OF_DATA}
    path = folder.within(BEST)
    _remove(path)  # of a sweep that was killed while it was judged
    own = read_settings(settings | {"out": str(path)})
    run = drain(illustrated(train_events(sweep.source, own, networks=sweep.networks)))
    mine = whole_state(run.module)
    if early and group.config.shared.schedule != "constant":  # a shorter plan would have other learning rates
        again = replace(group, config=group.config.with_settings(engine=row["engine"])).training()
        while again.step < row["step"]:
            again.advance(None, until=row["step"])
        mine = whole_state(again.net(0))
    state = kept.state
    same = mine.keys() == state.keys() and all(
        torch.equal(_bits(mine[name]), _bits(state[name])) for name in mine
    )
    return run, {"same_bits": same, "engine": row["engine"], "steps": row["kept_step"]}


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)


def _bits(t: Tensor) -> Tensor:
    return t.contiguous().flatten().view(torch.uint8)


# ---- the judge


def judgement(
    folder: RunFolder, sweep: SweepTraining, run: StoredRun, certificate: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The judgement's part of the document, and notes."""
    classes = bool(sweep.data.classes)
    shown = "accuracy" if classes else "rmse"
    scale = sweep.data.target_scale
    members, choose, scores, rows = _row_scores(folder, sweep)
    turned = None if classes else (lambda mean: -(-mean).clamp(min=0).sqrt() * scale)
    no_means: dict[str, Callable[[Tensor, Tensor], Scores]] = {"f1_macro": f1_scores, "auc": auc_scores}
    decides = no_means.get(sweep.metric)
    chosen = (
        judge.by_rows(choose, None, rows.get("weight"))
        if decides is None
        else decides(choose, rows["target"])
    )
    found = judge.selection_bias(chosen, len(members), choose.shape[1], report=judge.by_rows(scores, turned))
    winner = sweep.top[0].member
    rows_of = {row["member"]: row for row in sweep.rows.last()}
    each = judge.by_rows(scores, turned)(None).tolist()
    parameters = [rows_of[m]["parameters"] for m in members]
    smallest = members[judge.smallest_within(parameters, each, found.best, found.error)]
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

    def p_beats(name: str | None) -> float | None:
        if not fresh or name is None:
            return None
        return judge.p_beats([sign * (f["test"] - f["baseline"].get(name, f["test"])) for f in fresh], share)

    p_constant, p_strongest, p_runner = p_beats(constant), p_beats(strongest), None
    if pairs := [sign * (f["test"] - f["runner_up"]) for f in fresh if f["runner_up"] is not None]:
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
            seen=sign * found.best,
            inflation=found.inflation,
            baseline=strongest,
            runner_up=runner_up,
            smaller=smallest if rows_of[smallest]["parameters"] < rows_of[winner]["parameters"] else None,
            share=rows_of[smallest]["parameters"] / rows_of[winner]["parameters"],
        )
        sentence = judge.sentence(verdict, facts)
    return {
        "verdict": verdict,
        "sentence": sentence,
        "metric": shown,
        "seen": sign * found.best,
        "expected_inflation": found.inflation,
        "expected_inflation_again": found.other_inflation,
        "standard_error": found.error,
        "test": test,
        "test_interval": interval,
        "fresh_seeds": fresh,
        "runner_up": runner_up,
        "p_beats_runner_up": p_runner,
        "p_beats_baseline": p_strongest,
        "p_beats_constant": p_constant,
        "baseline": strongest,
        "smallest_within_1se": {
            "member": smallest,
            "parameters": rows_of[smallest]["parameters"],
            "params": sweep.configs[smallest],
        },
        "certificate": dict(certificate),
    }, notes


def _row_scores(
    folder: RunFolder, sweep: SweepTraining
) -> tuple[list[int], Tensor, Tensor, dict[str, Tensor]]:
    """The members of all brackets; what decides and what is shown ``[M, N]``; the rows' own ``[N]``."""
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
        raise TreinoError(
            "judge_without_scores",
            _("no network was measured on validation rows."),
            _("See the sweep's other notes."),
        )
    return members, torch.cat(choose), torch.cat(shown), rows


def _strongest(result: RunResult, shown: str) -> str | None:
    """The baseline with the best test figure, of those that have one."""
    better = METRICS[shown].better
    figures = {name: of[shown] for name, of in result.baseline.items() if of is not None}
    known = {name: better * value for name, value in figures.items() if value is not None}
    return max(known, key=lambda name: known[name], default=None)
