"""Sections of a report on a sweep: the best member and its judgement, the leaderboard, the settings tried."""

from collections.abc import Sequence
from dataclasses import dataclass

from treino.base.words import _, numeral
from treino.data.splits import split_name
from treino.engine.metrics import metric_name
from treino.folders.documents.sweep import SweepResult
from treino.folders.stored_run import StoredRun
from treino.plots.report.blocks import Block, ListBlock, Note, Paragraph, Picture, Section, TableBlock
from treino.plots.report.charts import figure, figure_charts, figures_table
from treino.plots.report.run import way_back
from treino.plots.run_sentences import baseline_name, headline
from treino.training.search.space import domain_text
from treino.training.stored_results import StoredSweep
from treino.training.sweeps.populations import config_text

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
    if sentence := result.judge and result.judge.sentence:
        blocks.append(Paragraph(sentence[:1].upper() + sentence[1:], "strong"))
    said = _("{n:,} networks in {seconds} s: {finished:,} finished, {stopped:,} stopped, {lost:,} diverged.")
    ended = {"finished": result.finished, "stopped": result.stopped, "lost": result.diverged}
    blocks.append(Paragraph(said.format(n=result.members, seconds=numeral(result.seconds), **ended)))
    if result.figures:
        blocks.append(spread_table(result))
    best = None if facts.winner is None else facts.winner.result
    if best is not None and result.best is not None:
        blocks.append(Paragraph(_("The best, network {n}, trained alone:").format(n=result.best.member)))
        if said := headline(best):
            blocks.append(Paragraph(said))
        if (table := figures_table(best)) is not None:
            blocks += [table, *figure_charts(best)]
    return Section(_("Result"), tuple(blocks))


def spread_table(result: SweepResult) -> TableBlock:
    """Return the mean, deviation and range of each metric over seeds or folds."""
    head = ("", _("mean"), _("deviation"), _("lowest"), _("highest"))
    rows = tuple(
        (f"{split_name(split)} {metric.replace('_', ' ')}", *map(figure, (f.mean, f.std, f.min, f.max)))
        for split, of in result.figures.items()
        for metric, f in of.items()
    )
    caption = _("Of {n:,} networks with equal settings; nobody is chosen")
    return TableBlock(head, rows, caption.format(n=result.members))


def _leaders(facts: SweepFacts) -> Section:
    result = facts.sweep.result
    if result is None or not result.leaderboard or result.kind == "spread":
        return Section(_("Leaders"), ())
    sentence = _(
        "Chosen by validation rows. No leaderboard holds a test figure: the best is tested once, above."
    )
    table = leaders_table(result, [config_text(each.params) for each in result.leaderboard], LEADERS)
    return Section(_("Leaders"), (table, Paragraph(sentence, "soft")))


def leaders_table(result: SweepResult, written: Sequence[str], most: int) -> TableBlock:
    """Return the best networks' validation metrics, sizes and settings. written: the settings in words."""
    metrics = list(result.leaderboard[0].validation)
    measures = [_("validation {metric}").format(metric=metric_name(m)) for m in metrics]
    rows = []
    for leader, settings in list(zip(result.leaderboard, written, strict=True))[:most]:
        measured = [figure(leader.validation.get(m)) for m in metrics]
        sizes = numeral(leader.parameters, ","), numeral(leader.epochs, ",.0f")
        rows.append((str(leader.member), *measured, *sizes, settings))
    return TableBlock((_("network"), *measures, _("parameters"), _("epochs"), _("settings")), tuple(rows))


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
    same = judge.certificate.same_bits
    sentence = _("Certificate: trained alone, the best has the same bits as among the others.")
    if not same:
        sentence = _(
            "Trained alone, the best has OTHER bits: please report this, unless code of your own draws "
            "numbers otherwise than by torch."
        )
    table = TableBlock(("", ""), tuple(rows))
    return Section(_("What it is worth"), (table, Paragraph(sentence, "good" if same else "alarm")))


def _tried(facts: SweepFacts) -> Section:
    spec = facts.sweep.spec
    tried = tuple((name, domain_text(name, domain)) for name, domain in spec.space_document().items())
    counts = _("{train:,} training, {validation:,} validation, {test:,} test rows").format(**spec.rows)
    blocks: list[Block] = [
        Paragraph(_("{data}: {counts}").format(data=spec.data.name, counts=counts)),
        TableBlock((_("setting"), _("tried")), tried, numbers=False),
    ]
    if requested := {k: v for k, v in spec.asked.items() if v is not None}:
        shared = tuple((k, str(v)) for k, v in requested.items())
        blocks.append(TableBlock((_("setting"), _("of all")), shared, numbers=False))
    if facts.sweep.result is not None and facts.sweep.result.notes:
        blocks.append(ListBlock(facts.sweep.result.notes))
    return Section(_("What was tried"), tuple(blocks))


def _again(facts: SweepFacts) -> Section:
    where = facts.sweep.spec.data
    blocks = way_back(where, facts.command, facts.call)
    versions = {} if facts.winner is None else facts.winner.spec.versions
    rows = [*versions.items(), (_("trained"), facts.sweep.folder.created[:19].replace("T", " ") + " UTC")]
    if where.sha256:
        rows.append((_("SHA-256 of {name}").format(name=where.name), where.sha256))
    blocks.append(TableBlock(("", ""), tuple(rows), numbers=False))
    if facts.missing:
        blocks += [Paragraph(_("Left out of this report:"), "soft"), ListBlock(tuple(facts.missing))]
    return Section(_("Reproduce"), tuple(blocks))
