"""Sections of a report on one run: data, settings, figures, findings, and how to reproduce it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from treino.data.preparation.encoders import ENCODERS
from treino.data.preparation.preparation import Preparation
from treino.documents.data_source import DataSource
from treino.documents.run_spec import RunSpec
from treino.inspection.curves import Curves
from treino.plots.captions import headline, layer_numbers
from treino.plots.report.blocks import (
    Block,
    Code,
    ListBlock,
    Note,
    Paragraph,
    Section,
    TableBlock,
)
from treino.plots.report.charts import SPLITS, curve_charts, figure_charts, figures_table
from treino.plots.style import percent, split_name
from treino.spec import FLAGS, Settings
from treino.words import _, numeral

COLUMNS = 24  # listed; of more the first ones
LISTED = 20  # values of one setting


@dataclass(frozen=True, eq=False)
class RunReport:
    """What a report says of a run. document, spec: as its folder holds them.

    created: UTC, ISO 8601. pictures: under each section's title what it shows. missing: what could not be
    shown, and why. resume: the command that goes on with it, "" where there is nothing to go on with.
    sha256: of the kept weights, "" where there are none. call: the call in Python that trains it again, where
    no command can. official: whether the test rows are the source's own; None where that can't be known.
    """

    name: str
    document: Mapping[str, Any]
    spec: RunSpec
    created: str
    curves: Curves
    preparation: Preparation | None = None
    pictures: Mapping[str, Sequence[Block]] = field(default_factory=dict)
    missing: Sequence[str] = ()
    resume: str = ""
    sha256: str = ""
    call: str = ""
    official: bool | None = False


def subtitle(facts: RunReport) -> str:
    d = facts.document
    return _("{data}: {learnt}. {status}, {when}.").format(
        data=facts.spec.data.name, learnt=learnt(d), status=_(d["status"]), when=facts.created[:10]
    )


def learnt(d: Mapping[str, Any]) -> str:
    """The target, in words."""
    if d["task"] == "regression":
        return _("the number {target}").format(target=d["target"])
    names = ", ".join(d["classes"][:10]) + (", …" if len(d["classes"]) > 10 else "")
    return _("{n} classes of {target}: {names}").format(n=len(d["classes"]), target=d["target"], names=names)


def run_sections(facts: RunReport) -> list[Section]:
    """Every section of one run's report, in the order in which a reader asks."""
    sections = [
        _result(facts),
        _data(facts),
        _network(facts),
        _training(facts),
        *(Section(title, tuple(blocks)) for title, blocks in facts.pictures.items()),
        _findings(facts),
        _again(facts),
    ]
    return [s for s in sections if s.blocks or s.parts]


# ---- what came out


def _result(facts: RunReport) -> Section:
    d = facts.document
    blocks: list[Block] = [*_state(facts)]
    if said := headline(d):
        blocks.append(Paragraph(said, "strong"))
    elif d["status"] in ("finished", "diverged"):
        said = (
            _("On the {n:,} test rows its answers are not finite: there is no figure.")
            if d["rows"]["test"]
            else _("No rows were held back for a test: what it is worth is not known.")
        )
        blocks.append(Paragraph(said.format(n=d["rows"]["test"]), "alarm"))
    if (table := figures_table(d)) is not None:
        blocks.append(table)
        blocks += figure_charts(d)
    return Section(_("Result"), tuple(blocks))


def _state(facts: RunReport) -> list[Block]:
    """What a reader must know of a run that did not simply end."""
    d, blocks = facts.document, list[Block]()
    steps = d.get("steps") or 0
    if d["status"] == "diverged":
        said = _(
            "At step {step:,} its loss was not finite, or far above that of a constant answer. The figures "
            "are those of the last weights that were whole."
        )
        blocks.append(Note(_("This run diverged"), (said.format(step=steps),)))
    elif d["status"] in ("interrupted", "stopped", "running"):
        said = _(
            "It has taken {step:,} steps. Test rows are looked at once, when it is over, so there is no test "
            "figure yet."
        )
        lines = [said.format(step=steps)]
        if facts.resume:
            lines.append(_("Go on with: {command}").format(command=facts.resume))
        blocks.append(
            Note(_("This run is not over: it is {status}").format(status=_(d["status"])), tuple(lines))
        )
    if d.get("faults"):
        names = ", ".join(d["faults"])
        blocks.append(Note(_("Trained with a fault, on purpose"), (names,)))
    return blocks


# ---- what was trained on what


def _data(facts: RunReport) -> Section:
    d, where = facts.document, facts.spec.data
    rows = d["rows"]
    total = max(1, sum(rows.values()))
    table = TableBlock(
        ("", _("rows"), _("share"), _("what for")),
        tuple(
            (split_name(s), numeral(rows[s], ","), percent(rows[s] / total), what)
            for s, what in zip(
                SPLITS,
                (
                    _("the weights, and every scale"),
                    _("which weights are kept"),
                    _("one figure, at the end"),
                ),
                strict=True,
            )
        ),
    )
    blocks: list[Block] = [
        Paragraph(
            _(
                "{source} ({kind}), {n:,} rows, {columns:,} columns, {inputs:,} inputs. It learns {learnt}."
            ).format(
                source=where.name,
                kind=_said_kind(where.kind),
                n=total,
                columns=len(d["features"]),
                inputs=d["inputs"],
                learnt=learnt(d),
            )
        ),
        table,
        Paragraph(_split_said(facts), "soft"),
    ]
    said = [*d.get("reasons", ()), *d.get("notes", ())]
    if said:
        blocks.append(ListBlock(tuple(said)))
    if _of_columns(facts.preparation):
        blocks.append(_columns(facts.preparation))
    return Section(_("Data"), tuple(blocks))


def _said_kind(kind: str) -> str:
    return {
        "builtin": _("built in"),
        "file": _("a file"),
        "memory": _("rows that were in memory"),
        "given": _("a Dataset or DataLoader"),
    }[kind]


def _of_columns(preparation: Preparation | None) -> TypeGuard[Preparation]:
    """Whether rows were made of a table's columns, and not taken as they were given."""
    return preparation is not None and preparation.kind == "table" and bool(preparation.encoders)


def _split_said(facts: RunReport) -> str:
    """How it was decided which row is in which part."""
    where, load = facts.spec.data, facts.spec.data.load
    asked = all(getattr(load, s) is not None for s in ("validation", "test"))
    drawn = asked and not where.files and facts.official is False
    whole = drawn and load.duplicates != "ignore" and _of_columns(facts.preparation)
    if load.split_column:
        said = _("The column {name} says which row is in which part.").format(name=load.split_column)
    elif load.split_time:
        said = _("Parted by time ({name}): the earliest rows train, the latest test.").format(
            name=load.split_time
        )
    elif load.fold:
        said = _("Tested on fold {fold} of a cross-validation.").format(fold=load.fold)
    elif load.split_group:
        said = _("Parted by {name}, no value of which is on two sides; seed {seed}.").format(
            name=load.split_group, seed=load.data_seed
        )
    else:
        said = _at_random(facts, drawn, whole).format(seed=load.data_seed)
    return said + " " + _("The split came first; scales and gaps were fitted on training rows only.")


def _at_random(facts: RunReport, drawn: bool, whole: bool) -> str:
    """drawn: both shares were taken from the rows. whole: equal ones were kept together."""
    if facts.official:
        return _("The test rows are the source's own; the others were parted at random with seed {seed}.")
    if not drawn:
        return _("Rows that were not in a part of their own were parted at random with seed {seed}.")
    if not whole or facts.document["task"] == "regression":
        return _("Parted at random with seed {seed}.")
    return _("Parted at random with seed {seed}, each class in the same shares; equal rows stay together.")


def _columns(preparation: Preparation) -> TableBlock:
    """A line for each column: what it becomes, and its scale over the training rows."""
    ways = {
        "number": _("number"), "rank": _("ordered classes"), "one-hot": _("one input for each class"),
        "hashed": _("hashed classes"), "date": _("date"), "time": _("time of day"),
    }  # fmt: skip
    rows = []
    made = preparation.encoders
    for name, encoder, group in list(zip(preparation.features, made, preparation.groups, strict=False))[
        :COLUMNS
    ]:
        kind = next(name for name, each in ENCODERS.items() if isinstance(encoder, each))
        mean = deviation = ""
        if encoder.scaled:
            mean, deviation = (numeral(float(v[group[0]])) for v in (preparation.mean, preparation.scale))
        rows.append((name, ways[kind], numeral(len(group), ","), mean, deviation))
    more = len(preparation.features) - COLUMNS
    if more > 0:
        rows.append((_("and {n:,} more").format(n=more), "", "", "", ""))
    head = (_("column"), _("taken as"), _("inputs"), _("mean"), _("deviation"))
    caption = _("The columns, with mean and deviation of the training rows") if preparation.normalise else ""
    return TableBlock(head, tuple(rows), caption)


# ---- the network and its training


def _network(facts: RunReport) -> Section:
    d = facts.document
    numbers = layer_numbers([(layer["kind"], layer["parameters"]) for layer in d["layers"]])
    rows = tuple(
        (n, str(layer.get("name", "")), layer["kind"], str(layer["in"]), str(layer["out"]),
         numeral(layer["parameters"], ","))
        for n, layer in zip(numbers, d["layers"], strict=True)
    )  # fmt: skip
    head = (_("layer"), _("module"), _("kind"), _("in"), _("out"), _("parameters"))
    total = ("", "", _("all"), "", "", numeral(d["parameters"], ","))
    return Section(_("Network"), (TableBlock(head, (*rows, total)),))


def _training(facts: RunReport) -> Section:
    d = facts.document
    length = _("steps: {steps:,}; epochs: {epochs:,}").format(
        steps=d.get("steps") or 0, epochs=d.get("epochs") or 0
    )
    said = [length]
    if d.get("seconds") is not None:
        said.append(_("{seconds} s").format(seconds=numeral(d["seconds"])))
    if d.get("kept_epoch") is not None:
        said.append(_("kept: the weights of epoch {kept:,}").format(kept=d["kept_epoch"]))
    if d.get("stopped_early"):
        said.append(
            _("stopped early: no improvement of the validation {metric} for {n} epochs").format(
                metric=d["settings"]["metric"], n=d["settings"]["patience"]
            )
        )
    blocks: list[Block] = [Paragraph(_how(d)), Paragraph("; ".join(said) + ".")]
    curves = curve_charts([facts.curves])
    no_curve = _("There is no curve: no epoch came to its end with a finite loss.")
    blocks += curves or [Paragraph(no_curve, "soft")]
    return Section(_("Training"), tuple(blocks), (_settings(facts),))


def _how(d: Mapping[str, Any]) -> str:
    """How it was trained, in a line."""
    s = d["settings"]
    extras = ("momentum", "weight_decay", "clip", "warmup", "label_smoothing")
    optimizer = [s["optimizer"], f"lr {s['lr']:g}", *(f"{n} {s[n]:g}" for n in extras if s[n])]
    said = [
        _("loss {name}").format(name=s["loss"]),
        ", ".join(optimizer),
        _("batches of {size}").format(size=s["batch_size"]),
        _("seed {n}").format(n=s["seed"]),
    ]
    if s["schedule"] != "constant":
        said.insert(2, _("{name} schedule").format(name=s["schedule"]))
    return "; ".join(said) + "."


def _settings(facts: RunReport) -> Section:
    """What was asked for and what was decided, a line each; what is as always, in one."""
    asked, rows, usual = facts.spec.asked, [], []
    for name, value in facts.document["settings"].items():
        if name in asked:
            rows.append((name, value_text(value), _("asked for"), FLAGS.get(name, "")))
        elif value in (None, [], (), False):
            continue
        elif name in Settings.model_fields and value == Settings.model_fields[name].default:
            usual.append(f"{name} {value_text(value)}")
        else:
            rows.append((name, value_text(value), _("decided"), FLAGS.get(name, "")))
    said = _("Defaults: {settings}. What is off is left out; all of it is in {file}.").format(
        settings="; ".join(usual), file="spec.json"
    )
    head = (_("setting"), _("value"), _("from"), _("flag"))
    return Section(_("Settings"), (TableBlock(head, tuple(rows), numbers=False), Paragraph(said, "soft")))


def value_text(value: Any) -> str:
    """A setting's value as one would type it."""
    if isinstance(value, bool) or value is None:
        return {True: _("yes"), False: _("no"), None: "–"}[value]
    if isinstance(value, (list, tuple)):
        said = ", ".join(value_text(v) for v in value[:LISTED]) or "–"
        more = len(value) - LISTED
        return _("{list}, … and {n:,} more").format(list=said, n=more) if more > 0 else said
    return f"{value:g}" if isinstance(value, float) else str(value)


# ---- what to think of it, and how to have it again


def _findings(facts: RunReport) -> Section:
    found = facts.document.get("findings") or []
    over = facts.document["status"] in ("finished", "diverged")
    if not found:
        said = _("The doctor's rules found nothing wrong with this training.")
        return Section(_("Findings"), (Paragraph(said, "good"),) if over else ())
    sure = {True: _("certain"), False: _("likely")}
    notes = tuple(
        Note(
            f"{f['rule']} ({sure[f['certain']]})",
            (f["message"], f["why"], _("To do: {fix}").format(fix=f["fix"])),
        )
        for f in found
    )
    return Section(_("Findings"), notes)


def way_back(where: DataSource, command: str, call: str) -> list[Block]:
    """What to type to have it again; what to call where no command can name its rows or its network."""
    near = _(" (typed from the run's folder)") if where.kind == "file" else ""
    if not call:
        return [Paragraph(_("The command that trains it again{near}:").format(near=near)), Code(command)]
    said = _("No command can name what was given in Python. This call trains it again{near}:")
    names = ", ".join(name for name in ("data", "net") if re.search(rf"[(,] ?{name}[,)]", call))
    lines = ["import treino", "", call]
    if names:
        lines.insert(1, _("# {names}: what was given then").format(names=names))
    return [Paragraph(said.format(near=near)), Code("\n".join(lines), "python")]


def _again(facts: RunReport) -> Section:
    d, where = facts.document, facts.spec.data
    blocks: list[Block] = [
        *way_back(where, facts.spec.command, facts.call),
        Paragraph(_("The same bits again: {answer}").format(
            answer=_("yes, on this kind of machine") if d.get("reproducible", True) else d["reproducible_why"]
        )),
    ]  # fmt: skip
    hashes = [(where.name, where.sha256)] if where.sha256 else []
    hashes += [(file.source, file.sha256) for file in where.files.values()]
    hashes += [(_("the weights"), facts.sha256)] if facts.sha256 else []
    rows = [
        *((name, version) for name, version in facts.spec.versions.items()),
        (_("kernel"), _("{engine} on {device}; threads: {n}").format(
            engine=d["engine"], device=d["device"], n=d["threads"]
        )),
        (_("trained"), facts.created[:19].replace("T", " ") + " UTC"),
        *((_("SHA-256 of {name}").format(name=name), sha) for name, sha in hashes),
    ]  # fmt: skip
    blocks.append(TableBlock(("", ""), tuple(rows), numbers=False))
    if facts.missing:
        blocks.append(Paragraph(_("Left out of this report:"), "soft"))
        blocks.append(ListBlock(tuple(facts.missing)))
    return Section(_("Reproduce"), tuple(blocks))
