"""Sections of a report on a sweep: the best member and its judgement, the leaderboard, the settings tried."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from treino.base.words import _, capitalised, joined, numeral
from treino.data.splits import split_name
from treino.engine.metrics import METRICS, metric_name
from treino.folders.documents.sweep import GoalSteps, StudyResult, StudyRow, SweepEnsemble, SweepResult
from treino.folders.stored_run import StoredRun
from treino.plots.report.blocks import (
    Block,
    ListBlock,
    Note,
    Paragraph,
    Parts,
    Picture,
    Section,
    TableBlock,
    TableCell,
    blocks_of,
)
from treino.plots.report.charts import figure, figure_charts
from treino.plots.report.run import origin, result_blocks, way_back
from treino.plots.run_sentences import baseline_name
from treino.training.search.space import space_in
from treino.training.stored_results import StoredSweep
from treino.training.sweeps.populations import config_text
from treino.training.sweeps.study_document import mode_name, seconds_span, seconds_text
from treino.training.sweeps.study_options import value_text

LEADERS = 20


@dataclass(frozen=True, eq=False)
class SweepFacts:
    """What a report says about a sweep besides what is stored in its folder.

    winner: the best network as a run, if it can be opened. missing: what could not be shown, and why.
    command: the command as typed. call: the Python call that reproduces the sweep, if no command can.
    """

    sweep: StoredSweep
    winner: StoredRun | None = None
    pictures: Sequence[Picture] = ()
    missing: Sequence[str] = ()
    command: str = ""
    call: str = ""


def sweep_subtitle(facts: SweepFacts) -> str:
    sweep = facts.sweep
    members, when = 0 if sweep.result is None else sweep.result.members, sweep.folder.created[:10]
    return _("{data}: {n:,} networks. {status}, {when}.").format(
        data=sweep.spec.data.name, n=members, status=_(sweep.status), when=when
    )


def sweep_sections(facts: SweepFacts) -> list[Section]:
    """Return all sections of a sweep's report: results first, then how they were found."""
    sections = [
        _result(facts),
        _leaders(facts),
        _judge(facts),
        Section(_("Pictures"), tuple(facts.pictures)),
        _tried(facts),
        _again(facts),
    ]
    return [s for s in sections if s.blocks]


def _result(facts: SweepFacts) -> Section:
    result, blocks = facts.sweep.result, list[Block]()
    if facts.sweep.status in ("interrupted", "running"):
        said = _("What is here is what was kept so far. Go on with: treino resume {name}")
        title = _("This sweep is not over: it is {status}").format(status=_(facts.sweep.status))
        blocks.append(Note(title, (said.format(name=facts.sweep.name),)))
    if facts.sweep.status == "diverged":
        said = _("There is no best network. Try smaller learning rates.")
        blocks.append(Note(_("Every network diverged"), (said,)))
    if result is None:
        return Section(_("Result"), tuple(blocks))
    blocks += blocks_of(sweep_blocks(result, LEADERS), without=("leaders", "notes"))
    best = None if facts.winner is None else facts.winner.result
    if facts.winner is not None and best is not None and result.best is not None:
        blocks.append(Paragraph(_("The best, network {n}, trained alone:").format(n=result.best.member)))
        blocks += [*result_blocks(facts.winner), *figure_charts(best)]
    return Section(_("Result"), tuple(blocks))


def _leaders(facts: SweepFacts) -> Section:
    result = facts.sweep.result
    leaders = [] if result is None else sweep_blocks(result, LEADERS).get("leaders", [])
    sentence = _(
        "Chosen by validation rows. No leaderboard holds a test figure: the best is tested once, above."
    )
    return Section(_("Leaders"), (*leaders, Paragraph(sentence, "soft")) if leaders else ())


def sweep_blocks(result: SweepResult, most: int) -> Parts:
    """Return how many networks were trained, the leaders or, of seeds and folds, each metric's spread, what
    the best is worth, and notes. most: leaders."""
    head = _(
        "{members:,} networks in {seconds} s ({pace:,.0f} model-steps a second): "
        "{finished:,} finished, {stopped:,} stopped, {diverged:,} diverged"
    )
    pace, seconds = result.model_steps_per_second, numeral(result.seconds)
    parts: dict[str, list[Block]] = {
        "count": [Paragraph(head.format(**dict(result) | {"seconds": seconds}, pace=pace))],
        "spread": [_spread_table(result)] if result.figures else [],
    }
    if result.leaderboard and result.kind != "spread":
        parts["leaders"] = [_leaders_table(result, most)]
    if (judge := result.judge) is not None and result.best is not None:
        same = judge.certificate.same_bits
        alone = _("Trained alone, network {n} has the same bits as among the others.")
        if not same:
            alone = _(
                "Trained alone, network {n} has OTHER bits: please report this, unless code of your own "
                "draws numbers otherwise than by torch."
            )
        parts["judgement"] = [
            *([Paragraph(capitalised(judge.sentence), "strong")] if judge.sentence else []),
            Paragraph(alone.format(n=result.best.member), "good" if same else "alarm"),
        ]
    together = [] if result.ensemble is None else [_ensemble_sentence(result.ensemble)]
    reached = [] if result.reached is None else [_steps_sentence(result.reached, result.members)]
    return parts | {
        "ensemble": [Paragraph(sentence) for sentence in (*together, *reached)],
        "notes": [Paragraph(note) for note in result.notes],
    }


def _ensemble_sentence(ensemble: SweepEnsemble) -> str:
    """Say the members of the ensemble and its gain on test rows over the winner alone."""
    times = Counter(ensemble.members)
    if len(times) == 1:
        return _("The winner answers alone: no other network makes its answers on validation rows better.")
    who = ", ".join(f"{member}" + (f" (×{n})" if n > 1 else "") for member, n in times.items())
    answerers = _("{n} networks answer together: {who}.").format(n=len(times), who=who)
    both, one = (ensemble.test or {}).get(ensemble.metric), (ensemble.alone or {}).get(ensemble.metric)
    if both is None or one is None or ensemble.difference_interval is None:
        return answerers
    low, high = (end or 0.0 for end in ensemble.difference_interval)
    compared = _(
        "On test rows: {metric} {both}, the winner alone {one}, a difference of {difference} (95 %: {low} to "
        "{high})."
    )
    signed = {"difference": both - one, "low": low, "high": high}
    numbers = {name: numeral(value, "+.2g") for name, value in signed.items()}
    numbers |= {"both": numeral(both, ".4g"), "one": numeral(one, ".4g")}
    compared = compared.format(metric=metric_name(ensemble.metric), **numbers)
    chance = _("That may be chance.") if low <= 0 <= high else ""
    return " ".join(part for part in (answerers, compared, chance) if part)


def _steps_sentence(reached: GoalSteps, members: int) -> str:
    """A sentence on the steps that the networks took to the goal."""
    facts = {"metric": reached.metric, "value": reached.value, "n": members, "never": reached.never}
    if reached.never == members:
        return _("None of {n} reached a validation {metric} of {value:g}.").format(**facts)
    sentence = _(
        "A validation {metric} of {value:g} was reached in {low:,} to {high:,} steps, median {median:,.0f} "
        "(looked at after every step, from the 50th on every 2 %)."
    ).format(low=reached.min, high=reached.max, median=reached.median, **facts)
    never = _("{never} of {n} never did.").format(**facts)
    return joined([sentence, never], " ") if reached.never else sentence


# ---- a study


def study_blocks(result: StudyResult, narrow: bool = False) -> Parts:
    """Return a study's rows, its conclusions, and notes. narrow: without intervals."""
    notes = [Paragraph(_("note: {note}").format(note=note), "soft") for note in result.notes]
    return {"rows": [_study_table(result, narrow)], "answers": [ListBlock(result.answers)], "notes": notes}


def _study_table(result: StudyResult, narrow: bool) -> TableBlock:
    """Return a line for each row, whose cells a page can sort. narrow: omit intervals, updates and epochs."""
    columns: dict[str, tuple[str, list[TableCell]]] = {}
    for name in result.varied or ["batch_size"]:
        values = [row.settings.get(name, getattr(row, name, None)) for row in result.rows]
        heading = _("batch") if name == "batch_size" else name
        columns[name] = heading, [TableCell(value_text(value), value=value) for value in values]
    if len(result.modes) > 1:
        columns["mode"] = _("mode"), [TableCell(mode_name(row.mode)) for row in result.rows]
    paces = [row.seconds_per_epoch for row in result.rows]
    columns["pace"] = _("time/epoch"), [TableCell(seconds_text(pace), value=pace) for pace in paces]
    if not narrow:
        spans = [seconds_span(row.seconds_interval) for row in result.rows]
        columns["interval"] = _("interval"), list(map(TableCell, spans))
        for name, heading in {"updates_per_epoch": _("updates"), "epochs": _("epochs")}.items():
            counts = [getattr(row, name) for row in result.rows]
            columns[name] = heading, [TableCell(numeral(n, ","), value=n) for n in counts]
    for metric, until in result.until.items():
        goal = f"{metric_name(metric)} {'<' if METRICS[metric].better < 0 else '≥'} {numeral(until, 'g')}"
        took = [row.epochs_to(metric) for row in result.rows]
        cells = [TableCell(_("never") if n is None else str(n), value=n) for n in took]
        columns[f"epochs_to_{metric}"] = _("epochs to {goal}").format(goal=goal), cells
    ends = [[row.loss[0], row.loss[-1]] if row.loss else [None] for row in result.rows]
    losses = [TableCell(" → ".join(map(figure, each)), value=each[-1]) for each in ends]
    columns["loss"] = _("loss first → last"), losses
    columns["figure"] = metric_name(result.metric), [_last(row, result.metric, narrow) for row in result.rows]
    if any(row.status != "finished" for row in result.rows):
        columns["status"] = _("status"), [TableCell(_(row.status)) for row in result.rows]
    texts = [n for n, name in enumerate(columns) if n == 0 or name in ("mode", "status")]
    heads, cells_of = zip(*columns.values(), strict=True)
    return TableBlock(heads, tuple(zip(*cells_of, strict=True)), left=texts, keys=tuple(columns))


def _last(row: StudyRow, metric: str, narrow: bool) -> TableCell:
    """Return the row's last figure. narrow: without its interval."""
    value, bounds = row.last(metric), None if narrow else row.accuracy_interval
    span = "" if bounds is None else " " + _("[{low:.3f}, {high:.3f}]").format(low=bounds[0], high=bounds[1])
    return TableCell("–" if value is None else numeral(value, ".3f") + span, value=value)


# ---- parts of a sweep


def _spread_table(result: SweepResult) -> TableBlock:
    """Return the mean, deviation and range of each metric over seeds or folds."""
    head = ("", _("mean"), _("deviation"), _("lowest"), _("highest"))
    rows = tuple(
        (f"{split_name(split)} {metric_name(metric)}", *map(figure, (f.mean, f.std, f.min, f.max)))
        for split, of in result.figures.items()
        for metric, f in of.items()
    )
    caption = _("Of {n:,} networks with equal settings; nobody is chosen")
    return TableBlock(head, rows, caption.format(n=result.members))


def _leaders_table(result: SweepResult, most: int) -> TableBlock:
    """Return the best networks' validation metrics, sizes and settings."""
    metrics = list(result.leaderboard[0].validation)
    measures = [_("validation {metric}").format(metric=metric_name(m)) for m in metrics]
    rows = []
    for leader in result.leaderboard[:most]:
        measured = [figure(leader.validation.get(m)) for m in metrics]
        sizes = numeral(leader.parameters, ","), numeral(leader.epochs, ",.0f")
        rows.append((str(leader.member), *measured, *sizes, config_text(leader.params)))
    head = (_("network"), *measures, _("parameters"), _("epochs"), _("settings"))
    return TableBlock(head, tuple(rows), left=(0, len(head) - 1))


def _judge(facts: SweepFacts) -> Section:
    """Say how much of the best score is luck, and how probably the best member beats baselines and the
    runner-up."""
    judge = None if facts.sweep.result is None else facts.sweep.result.judge
    if judge is None:
        return Section(_("What it is worth"), ())
    metric = metric_name(judge.metric)
    baseline = baseline_name(judge.baseline) if judge.baseline else _("the best baseline")
    rows = [
        (_("{metric} seen in the sweep, on validation rows").format(metric=metric), figure(judge.seen)),
        (_("of it about so much is the luck of the choice"), figure(judge.expected_inflation)),
        (_("{metric} on test rows").format(metric=metric), figure(judge.test)),
        (_("probability that it beats a constant answer"), figure(judge.p_beats_constant)),
        (_("probability that it beats {name}").format(name=baseline), figure(judge.p_beats_baseline)),
        (_("probability that it beats the runner-up"), figure(judge.p_beats_runner_up)),
        (_("fresh seeds and splits it was trained on for that"), f"{len(judge.fresh_seeds)}"),
    ]
    return Section(_("What it is worth"), (TableBlock(("", ""), tuple(rows)),))


def _tried(facts: SweepFacts) -> Section:
    spec = facts.sweep.spec
    tried = tuple((d.name, d.text) for d in space_in(spec).dimensions)
    counts = _("{train:,} training, {validation:,} validation, {test:,} test rows").format(**spec.rows)
    blocks: list[Block] = [
        Paragraph(_("{data}: {counts}").format(data=spec.data.name, counts=counts)),
        TableBlock((_("setting"), _("tried")), tried, left=None),
    ]
    if requested := {k: v for k, v in spec.asked.items() if v is not None}:
        shared = tuple((k, str(v)) for k, v in requested.items())
        blocks.append(TableBlock((_("setting"), _("of all")), shared, left=None))
    if facts.sweep.result is not None and facts.sweep.result.notes:
        blocks.append(ListBlock(facts.sweep.result.notes))
    return Section(_("What was tried"), tuple(blocks))


def _again(facts: SweepFacts) -> Section:
    where = facts.sweep.spec.data
    blocks = way_back(where, facts.command, facts.call)
    versions = {} if facts.winner is None else facts.winner.spec.versions
    hashes = [(where.name, where.sha256)] if where.sha256 else []
    blocks += origin(facts.sweep.folder.created, versions, hashes, facts.missing)
    return Section(_("Reproduce"), tuple(blocks))
