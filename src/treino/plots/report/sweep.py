"""Sections of a report on a sweep: the best member and its judgement, the leaderboard, the settings tried."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from treino.base.words import _, capitalised, joined, numeral
from treino.data.splits import split_name
from treino.engine.metrics import metric_name
from treino.folders.documents.sweep import GoalSteps, StudyResult, SweepEnsemble, SweepResult
from treino.folders.stored_run import StoredRun
from treino.plots.report.blocks import Block, ListBlock, Note, Paragraph, Picture, Section, TableBlock
from treino.plots.report.charts import figure, figure_charts
from treino.plots.report.run import origin, result_blocks, way_back
from treino.plots.run_sentences import baseline_name
from treino.training.search.space import space_in
from treino.training.stored_results import StoredSweep
from treino.training.sweeps.populations import config_text
from treino.training.sweeps.study_document import table_of

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
    ranked = result.kind != "spread"  # by a table with a section of its own
    told = sweep_blocks(result, LEADERS)
    blocks += [block for block in told if not (ranked and isinstance(block, TableBlock))]
    best = None if facts.winner is None else facts.winner.result
    if facts.winner is not None and best is not None and result.best is not None:
        blocks.append(Paragraph(_("The best, network {n}, trained alone:").format(n=result.best.member)))
        blocks += [*result_blocks(facts.winner), *figure_charts(best)]
    return Section(_("Result"), tuple(blocks))


def _leaders(facts: SweepFacts) -> Section:
    result = facts.sweep.result
    if result is None or not result.leaderboard or result.kind == "spread":
        return Section(_("Leaders"), ())
    sentence = _(
        "Chosen by validation rows. No leaderboard holds a test figure: the best is tested once, above."
    )
    return Section(_("Leaders"), (_leaders_table(result, LEADERS), Paragraph(sentence, "soft")))


def sweep_blocks(result: SweepResult, most: int) -> list[Block]:
    """Return how many networks were trained, the leaders or, of seeds and folds, each metric's spread, and
    what the best is worth. most: leaders."""
    head = _(
        "{members:,} networks in {seconds} s ({pace:,.0f} model-steps a second): "
        "{finished:,} finished, {stopped:,} stopped, {diverged:,} diverged"
    )
    pace, seconds = result.model_steps_per_second, numeral(result.seconds)
    blocks: list[Block] = [Paragraph(head.format(**dict(result) | {"seconds": seconds}, pace=pace))]
    if result.figures:
        blocks.append(_spread_table(result))
    elif result.leaderboard and result.kind != "spread":
        blocks.append(_leaders_table(result, most))
    if (judge := result.judge) is not None and result.best is not None:
        blocks += [Paragraph(capitalised(judge.sentence), "strong")] if judge.sentence else []
        same = judge.certificate.same_bits
        alone = _("Trained alone, network {n} has the same bits as among the others.")
        if not same:
            alone = _(
                "Trained alone, network {n} has OTHER bits: please report this, unless code of your own "
                "draws numbers otherwise than by torch."
            )
        blocks.append(Paragraph(alone.format(n=result.best.member), "good" if same else "alarm"))
    if result.ensemble is not None:
        blocks.append(Paragraph(_ensemble_sentence(result.ensemble)))
    if result.reached is not None:
        blocks.append(Paragraph(_steps_sentence(result.reached, result.members)))
    return blocks


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


def study_blocks(result: StudyResult, narrow: bool = False) -> list[Block]:
    """Return a study's rows, its conclusions, and notes. narrow: without intervals."""
    heads, rows = table_of(result, narrow)
    left = [0, *(n for n, heading in enumerate(heads) if heading in (_("mode"), _("status")))]
    notes = [Paragraph(_("note: {note}").format(note=note), "soft") for note in result.notes]
    return [TableBlock(tuple(heads), tuple(map(tuple, rows)), left=left), ListBlock(result.answers), *notes]


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
