"""Sections of a report on one run: data, settings, metrics, findings, and how to reproduce it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from treino.base.words import _, capitalised, joined, numeral
from treino.data.dataset import target_text
from treino.data.documents import DataSource
from treino.data.preparation.preparation import Preparation
from treino.data.preparation.ways import way_label
from treino.data.splits import split_name
from treino.engine.metrics import metric_name
from treino.folders.documents.run_result import RunResult
from treino.folders.documents.run_spec import Finding, RunFacts, RunSpec
from treino.folders.documents.verification import VerificationDocument
from treino.folders.run_curves import curves_of
from treino.folders.stored_folder import packages_text
from treino.folders.stored_run import StoredRun
from treino.inspection.curves import Curves
from treino.plots.report.blocks import (
    Block,
    Code,
    ListBlock,
    Note,
    Paragraph,
    Parts,
    Section,
    TableBlock,
    Tone,
)
from treino.plots.report.charts import SPLITS, curve_charts, figure_charts, figures_table
from treino.plots.run_sentences import headlines, layer_numbers
from treino.plots.style import percent
from treino.settings.spec import FLAGS, Settings

# ---- sections of a report on one run

COLUMNS = 24  # maximum number of columns listed; further columns are left out
LISTED = 20  # maximum number of values listed for one setting


@dataclass(frozen=True, eq=False)
class RunReport:
    """What a report says about a run besides what is stored in its folder.

    pictures: blocks by section title. missing: what could not be shown, and why. call: the Python call that
    trains the run again, if no command can. official: whether the source defines the test rows; None if
    unknown. images: their description, for image data. verification: of exactly these files, if there is one.
    """

    run: StoredRun
    curves: Curves
    pictures: Mapping[str, Sequence[Block]] = field(default_factory=dict)
    missing: Sequence[str] = ()
    call: str = ""
    official: bool | None = False
    verification: VerificationDocument | None = None
    images: Sequence[Block] = ()


def subtitle(report: RunReport) -> str:
    return _("{data}: {learnt}. {status}, {when}.").format(
        data=report.run.spec.data.name,
        learnt=learnt(report.run.spec),
        status=_(report.run.status),
        when=report.run.folder.created[:10],
    )


def learnt(spec: RunSpec) -> str:
    """Return the target in words."""
    return target_text(spec.resolved.target, spec.classes, spec.outputs)


def run_sections(report: RunReport) -> list[Section]:
    """Return all sections of one run's report, in the order of a reader's questions."""
    sections = [
        _result(report),
        _data(report),
        Section(_("Network"), (layers_table(report.run.facts),)),
        _training(report),
        *(Section(title, tuple(blocks)) for title, blocks in report.pictures.items()),
        _findings(report),
        _again(report),
    ]
    return [s for s in sections if s.blocks or s.parts]


# ---- results


def _result(report: RunReport) -> Section:
    result = report.run.result
    charts = [] if result is None else figure_charts(result)
    return Section(_("Result"), (*_state(report), *result_blocks(report.run), *charts))


def run_blocks(run: StoredRun) -> Parts:
    """Return what is told of a run wherever it is shown."""
    facts, packages = run.facts, packages_text(run.spec.versions)
    brought = _("It was trained with what these packages bring: {packages}")
    held_back = run.resolved.split_time is not None and not run.resolved.refit and run.status == "finished"
    hint = _("The latest rows were held back: to learn from them too before it predicts, add [[refit]].")
    parts: dict[str, list[Block]] = {
        "ending": [Paragraph(run_ending(run))],
        "result": result_blocks(run),
        "findings": [finding_note(finding) for finding in facts.findings],
        "notes": [Paragraph(note) for note in facts.notes if note not in run.spec.facts.notes],
        "packages": [Paragraph(brought.format(packages=packages))] if packages else [],
        "changes": [Paragraph(str(change)) for change in run.changes],
        "refit": [Paragraph(note) for note in [hint if held_back else run.refit_note] if note],
    }
    return {name: blocks for name, blocks in parts.items() if blocks}


def result_blocks(run: StoredRun) -> list[Block]:
    """Return the run's test score in words, and all its figures; of one that is not over its last figures."""
    result, tested = run.result, run.facts.rows["test"]
    if result is None:
        return [Paragraph(sentence) for sentence in [_last_figures(run)] if sentence]
    blocks: list[Block] = [Paragraph(sentence, "strong") for sentence in headlines(result)]
    if not blocks and run.status in ("finished", "diverged"):
        sentence = (
            _("On the {n:,} test rows its answers are not finite: there is no figure.")
            if tested
            else _("No rows were held back for a test: what it is worth is not known.")
        )
        blocks.append(Paragraph(sentence.format(n=tested), "alarm"))
    if (table := figures_table(result)) is None:
        return blocks
    kept = _kept(run, result)
    if result.targets:
        mean = _("The mean of {n} targets; then each of them.")
        return [*blocks, Paragraph(mean.format(n=len(result.targets))), table, *kept]
    if not any("rmse" in of for of in result.metrics.measured.values()):
        return [*blocks, table, *kept]
    unit = _(
        "The loss ({name}) is of {what}, in standard deviations of the training rows; rmse and mae are in "
        "the unit of {target}."
    )
    if not run.preparation.link.form.centred:
        unit = _(
            "The loss ({name}) is of {target} divided by its mean in the training rows; rmse and mae are in "
            "the unit of {target}."
        )
    names = {"name": result.settings.loss, "what": run.preparation.outputs[0], "target": result.target}
    return [*blocks, table, Paragraph(unit.format(**names), "soft"), *kept]


def _kept(run: StoredRun, result: RunResult) -> list[Block]:
    """Return a sentence on the kept weights and the figures at the last step, where these are two."""
    steps = {result.kept_step}
    if result.members:
        steps = set(result.answering_steps or (result.members[k].kept_step for k in result.answering))
    if result.kept_step is None or steps == {result.steps}:
        return []
    text = _("These are the figures of each network's kept weights.")
    if len(steps) == 1:
        text = _("These are the figures of the kept weights, of epoch {epoch:,} (step {step:,}).")
        text = text.format(epoch=result.kept_epoch, step=result.kept_step)
    if figures := _last_measured(curves_of(run)):
        last = _("At the last step, {step:,}: {figures}.")
        text = joined([text, last.format(step=result.steps, figures=" · ".join(figures))], " ")
    return [Paragraph(text, "soft", "kept", result.kept_step if len(steps) == 1 else None)]


def _last_figures(run: StoredRun) -> str:
    """Say the metrics of the last epochs; "" before the first has ended."""
    so_far = curves_of(run)
    figures = [f"{_('training')} loss {numeral(so_far.loss_E[-1])}"] if so_far.epochs else []
    figures += _last_measured(so_far)
    return _("last figures: {figures}").format(figures=" · ".join(figures)) if figures else ""


def _last_measured(so_far: Curves) -> list[str]:
    """Say the metrics of each measured split, as they were measured last."""
    figures = []
    for split, of in so_far.evaluated.items():
        known = {name: value_E[np.isfinite(value_E)] for name, value_E in of.items() if name != "loss_std"}
        texts = [
            f"{metric_name(name)} {numeral(last_N[-1])}" for name, last_N in known.items() if len(last_N)
        ]
        figures += [f"{split_name(split)} {', '.join(texts)}"] if texts else []
    return figures


def _state(report: RunReport) -> list[Block]:
    """Explain the state of a run that did not finish normally."""
    blocks = list[Block]()
    if report.run.status == "diverged":
        sentence = _(
            "At step {step:,} its loss was not finite, or far above that of a constant answer. The figures "
            "are those of the last weights that were whole."
        )
        blocks.append(Note(_("This run diverged"), (sentence.format(step=report.run.steps),)))
    elif report.run.status in ("interrupted", "stopped", "running"):
        sentence = _(
            "It has taken {step:,} steps. Test rows are looked at when it is over, so there is no test "
            "figure yet."
        )
        lines = [sentence.format(step=report.run.steps)]
        if report.run.status != "running":
            lines.append(_("Go on with: {command}").format(command=f"treino resume {report.run.typed}"))
        title = _("This run is not over: it is {status}").format(status=_(report.run.status))
        blocks.append(Note(title, tuple(lines)))
    if report.run.resolved.fault:
        names = ", ".join(report.run.resolved.fault)
        blocks.append(Note(_("Trained with a fault, on purpose"), (names,)))
    return blocks


# ---- data


def _data(report: RunReport) -> Section:
    facts, where = report.run.facts, report.run.spec.data
    rows = facts.rows
    total = max(1, sum(rows.values()))
    uses = _("the weights, and every scale"), _("which weights are kept"), _("one figure, at the end")
    table = TableBlock(
        ("", _("rows"), _("share"), _("what for")),
        tuple(
            (split_name(s), numeral(rows[s], ","), percent(rows[s] / total), what)
            for s, what in zip(SPLITS, uses, strict=True)
        ),
    )
    size = _("{source} ({kind}), {n:,} rows, {columns:,} columns, {inputs:,} inputs. It learns {learnt}.")
    if report.images:
        size = _("{source} ({kind}), {n:,} images, {inputs:,} inputs. It learns {learnt}.")
    sizes = {"n": total, "columns": len(facts.features), "inputs": report.run.spec.inputs}
    kinds = {"builtin": _("built in"), "file": _("a file"), "memory": _("rows that were in memory")}
    kind = kinds.get(where.kind, _("a Dataset or DataLoader"))
    about = size.format(source=where.name, kind=kind, learnt=learnt(report.run.spec), **sizes)
    blocks: list[Block] = [Paragraph(about), table, Paragraph(_split_said(report), "soft")]
    if note := report.run.refit_note:
        blocks.append(Paragraph(note))
    if lines := (*facts.reasons, *facts.notes):
        blocks.append(ListBlock(lines))
    if report.run.preparation.kind == "table" and report.run.preparation.programs:
        blocks.append(_columns(report.run.preparation))
    return Section(_("Data"), (*blocks, *report.images))


def _split_said(report: RunReport) -> str:
    """Describe how the rows were split."""
    where, load, prep = report.run.spec.data, report.run.spec.data.load, report.run.preparation
    of_files = all(getattr(load, s) is not None for s in ("validation", "test"))
    drawn = of_files and not where.files.keys() - {"labels"} and report.official is False
    if load.split_column:
        sentence = _("The column {name} says which row is in which part.")
    elif load.split_time and load.split_group:
        sentence = _(
            "Parted by {name}, no value of which is on two sides: those that end earliest ({time}) train, "
            "later ones are held back."
        )
    elif load.split_time:
        sentence = _("Parted by time ({name}): the earliest rows train, later ones are held back.")
    elif load.fold:
        sentence = _("Tested on fold {fold} of a cross-validation.")
    elif load.split_group:
        sentence = _("Parted by {name}, no value of which is on two sides; seed {seed}.")
    elif report.official:
        sentence = _("The test rows are the source's own; the others were parted at random with seed {seed}.")
    elif not drawn:
        sentence = _("Rows that were not in a part of their own were parted at random with seed {seed}.")
    elif load.duplicates == "ignore" or prep.kind != "table" or not prep.programs or not prep.classes:
        sentence = _("Parted at random with seed {seed}.")
    else:
        sentence = _(
            "Parted at random with seed {seed}, each class in the same shares; copies of a row stay together."
        )
    name = load.split_column or load.split_group or load.split_time
    facts = {"name": name, "time": load.split_time, "fold": load.fold, "seed": load.data_seed}
    return (
        sentence.format(**facts)
        + " "
        + _("The split came first; scales and gaps were fitted on training rows only.")
    )


def _columns(preparation: Preparation) -> TableBlock:
    """Return a row for each column: its encoding, and its scale on the training rows."""
    rows, p = [], preparation
    for name, program, group in list(zip(p.features, p.programs, p.groups, strict=False))[:COLUMNS]:
        mean = deviation = ""
        if program.scaled:
            mean, deviation = (numeral(float(v[group[0]])) for v in (preparation.mean, preparation.scale))
        rows.append((name, way_label(program), numeral(len(group), ","), mean, deviation))
    more = len(preparation.features) - COLUMNS
    if more > 0:
        rows.append((_("and {n:,} more").format(n=more), "", "", "", ""))
    head = (_("column"), _("taken as"), _("inputs"), _("mean"), _("deviation"))
    caption = _("The columns, with mean and deviation of the training rows") if preparation.normalise else ""
    return TableBlock(head, tuple(rows), caption)


# ---- network and training


def run_ending(run: StoredRun) -> str:
    """Return a sentence on the end of a run, its time and kept weights, or on how far it is."""
    result, status = run.result, _(run.status)
    text = _("{status} after {steps:,} steps (epochs: {epochs:,})")
    if result is None:
        running = _("{status}: {steps:,} steps so far (epochs: {epochs:,})")
        text = running if run.status == "running" else text
        text = text.format(status=status, steps=len(run.losses), epochs=curves_of(run).epochs)
        return capitalised(joined([text, "."]))
    if result.stopped_early:
        early = _("finished early (no improvement of the validation {metric} for {n} epochs)")
        status = early.format(metric=result.settings.metric, n=result.settings.patience)
    time = _("{seconds:.2f} s from step {step:,} on") if result.timed_from else _("{seconds:.2f} s")
    kept = _("{end}, {time}; kept the weights of epoch {kept:,}")
    if result.members:
        kept = _("{end}, {time}; kept each network's weights, the last of epoch {kept:,}")
    text = (_("{end}, {time}") if result.kept_epoch is None else kept).format(
        end=text.format(status=status, steps=result.steps, epochs=result.epochs),
        time=time.format(seconds=result.seconds, step=result.timed_from),
        kept=result.kept_epoch,
    )
    return capitalised(joined([text, "."]))


def layers_table(facts: RunFacts) -> TableBlock:
    """Return a row for each layer, with its number in ``treino explain --weight``."""
    layers = facts.layers
    numbers = layer_numbers([(layer.kind, layer.parameters) for layer in layers])
    rows = tuple(
        (n, layer.name, layer.kind, layer.inputs, layer.outputs, numeral(layer.parameters, ","))
        for n, layer in zip(numbers, layers, strict=True)
    )
    head = (_("layer"), _("module"), _("kind"), _("in"), _("out"), _("parameters"))
    total = ("", "", _("all"), "", "", numeral(facts.parameters, ","))
    return TableBlock(head, (*rows, total), left=range(3))


def _training(report: RunReport) -> Section:
    result = report.run.result
    blocks: list[Block] = [Paragraph(run_ending(report.run))]
    if changes := report.run.changes:
        blocks.append(ListBlock(tuple(map(str, changes))))
    curves = curve_charts([report.curves])
    no_curve = _("There is no curve: no epoch came to its end with a finite loss.")
    blocks += curves or [Paragraph(no_curve, "soft")]
    if result is not None and result.members:
        blocks.append(_members(result))
    return Section(_("Training"), tuple(blocks), (_settings(report),))


def _members(result: RunResult) -> TableBlock:
    """Return a row for each ensemble member."""
    head = ("", _("answers"), _("seed"), _("status"), _("steps"), _("kept epoch"))
    measured = _("validation {metric}").format(metric=result.settings.metric)
    rows = [
        (
            str(n),
            _("yes") if n in result.answering else "",
            str(member.seed),
            _(member.status),
            numeral(member.steps, ","),
            numeral(member.kept_epoch, ","),
            "" if member.validation is None else numeral(member.validation),
        )
        for n, member in enumerate(result.members)
    ]
    title = _("The networks, which answer together: the mean of the best half")
    return TableBlock((*head, measured), tuple(rows), title)


def _settings(report: RunReport) -> Section:
    """Return a row for each requested or resolved setting, and one sentence for the defaults."""
    spec, rows, usual = report.run.spec, [], []
    why = {"typed": _("asked for"), "recipe": _("recipe"), "data": _("decided"), "default": _("decided")}
    changed: set[str] = {name for change in report.run.changes for name in change.settings}
    changed |= {"betas"} if changed & {"beta1", "beta2"} else set()
    for name, value in report.run.settings.items():
        if name in changed:
            rows.append((name, value_text(value), _("changed on the way"), FLAGS.get(name, "")))
        elif name in spec.asked:
            rows.append((name, value_text(value), why[spec.sources.get(name, "typed")], FLAGS.get(name, "")))
        elif value in (None, [], (), False, "none"):
            continue
        elif name in Settings.model_fields and value == Settings.model_fields[name].default:
            usual.append(f"{name} {value_text(value)}")
        else:
            rows.append((name, value_text(value), _("decided"), FLAGS.get(name, "")))
    sentence = _("Defaults: {settings}. What is off is left out; all of it is in {file}.").format(
        settings="; ".join(usual), file="spec.json"
    )
    head = (_("setting"), _("value"), _("from"), _("flag"))
    return Section(_("Settings"), (TableBlock(head, tuple(rows), left=None), Paragraph(sentence, "soft")))


def value_text(value: Any) -> str:
    """Return a setting's value as typed by a user."""
    if isinstance(value, bool) or value is None:
        return {True: _("yes"), False: _("no"), None: "–"}[value]
    if isinstance(value, (list, tuple)):
        listing = ", ".join(value_text(v) for v in value[:LISTED]) or "–"
        more = len(value) - LISTED
        return _("{list}, … and {n:,} more").format(list=listing, n=more) if more > 0 else listing
    return f"{value:g}" if isinstance(value, float) else str(value)


# ---- findings and reproduction


def _findings(report: RunReport) -> Section:
    findings = report.run.facts.findings
    over = report.run.status in ("finished", "diverged")
    if not findings:
        sentence = _("The doctor's rules found nothing wrong with this training.")
        return Section(_("Findings"), (Paragraph(sentence, "good"),) if over else ())
    return Section(_("Findings"), tuple(finding_note(finding, why=True) for finding in findings))


def finding_note(finding: Finding, why: bool = False) -> Note:
    """Return what the doctor found. why: with the reason why that is a fault."""
    sure = _("certain") if finding.certain else _("likely")
    lines = [finding.message, *([finding.why] if why else []), _("To do: {fix}").format(fix=finding.fix)]
    return Note(f"{finding.rule} ({sure})", tuple(lines))


def way_back(where: DataSource, command: str, call: str) -> list[Block]:
    """Return the command that retrains the run, or a Python call if no command can name data or network."""
    continued = command.startswith(("treino train --branch", "treino train --rewind"))  # by runs' names
    again = _("This trains it again:")
    if where.kind == "file" and not continued:
        again = _("Typed in the run's folder, this trains it again:")
    if not call:
        return [Paragraph(again), Code(command)]
    names = ", ".join(name for name in ("data", "net") if re.search(rf"[(,] ?{name}[,)]", call))
    lines = ["import treino", "", call]
    if names:
        lines.insert(1, _("# {names}: what was given then").format(names=names))
    said = _("No command can name what was given in Python.")
    return [Paragraph(joined([said, again], " ")), Code("\n".join(lines), "python")]


def _again(report: RunReport) -> Section:
    facts, where, settings = report.run.facts, report.run.spec.data, report.run.resolved
    bits = _("yes, on this kind of machine") if facts.reproducible else facts.reproducible_why
    blocks = way_back(where, report.run.spec.command, report.call)
    blocks.append(Paragraph(_("The same bits again: {answer}").format(answer=bits)))
    if report.verification is not None:
        blocks.append(verification_note(report.verification))
    hashes = [(where.name, where.sha256)] if where.sha256 else []
    hashes += [(file.source, file.sha256) for file in where.files.values()]
    weights = report.run.folder.manifest.files.get("model.safetensors")
    hashes += [(_("the weights"), weights)] if weights else []
    kernel = _("{engine} on {device}; threads: {n}")
    kernel = kernel.format(engine=settings.engine, device=settings.device, n=settings.threads)
    made_by = {**report.run.spec.versions, _("kernel"): kernel}
    blocks += origin(report.run.folder.created, made_by, hashes, report.missing)
    return Section(_("Reproduce"), tuple(blocks))


def origin(
    created: str, made_by: Mapping[str, str], hashes: Sequence[tuple[str, str]], missing: Sequence[str]
) -> list[Block]:
    """Return when, by what and from which files it was made, and what the report leaves out."""
    rows = [*made_by.items(), (_("trained"), created[:19].replace("T", " ") + " UTC")]
    rows += [(_("SHA-256 of {name}").format(name=name), sha) for name, sha in hashes]
    left_out: list[Block] = [Paragraph(_("Left out of this report:"), "soft"), ListBlock(tuple(missing))]
    return [TableBlock(("", ""), tuple(rows), left=None), *(left_out if missing else [])]


def verification_note(document: VerificationDocument) -> Note:
    """Return what the folder's verification document claims, and how much that is worth."""
    titles = {
        "equal": _("Verified: trained again, it was equal bit by bit"),
        "close": _("Verified: trained again, it was close, but for rounding"),
        "different": _("Trained again, it was different"),
        "unverifiable": _("It can't be verified"),
    }
    tones: dict[str, Tone] = {"equal": "good", "close": "good", "different": "alarm", "unverifiable": "alarm"}
    lines = [] if document.reason is None else [document.reason]
    if (now := document.now) is not None:
        made = _(
            "By treino {treino} with torch {torch} and the kernel {engine} on {machine}, on {date}: "
            "{steps:,} of {of:,} steps were trained again."
        )
        known = {name: now.versions.get(name, "?") for name in ("treino", "torch")}
        machine = ", ".join(filter(None, (now.machine.get("processor"), now.machine.get("system")))) or "?"
        steps = {"steps": document.steps.trained, "of": document.steps.recorded}
        lines.append(made.format(**known, engine=now.engine, machine=machine, date=now.date[:10], **steps))
    if (first := document.first_difference) is not None:
        parted = _("It parted first at step {step:,}: {what}.")
        lines.append(parted.format(step=first.step, what=" ".join(filter(None, (first.kind, first.name)))))
    worth = _(
        "The document in the folder speaks of exactly these files, by their manifest's SHA-256. It is not "
        "signed: whoever can write the folder can write it. To know it, do it again: {command}"
    )
    lines.append(worth.format(command=document.command))
    return Note(titles[document.verdict], tuple(lines), tones[document.verdict])
