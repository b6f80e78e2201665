"""``treino verify``: a run trained again, and what of it is equal, bit for bit."""

from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import Parameter
from rich.progress import BarColumn, Progress, TextColumn

from treino.base.encoding import json_bytes
from treino.base.errors import Refusal
from treino.base.option_marks import WRITE
from treino.base.words import N_, _, numeral
from treino.cli.flags import AccessFlags, RunName, ScreenFlag, ToFile, Words, with_flags
from treino.cli.screen import Replace, Screen, exit_status, output_file, say_replaced
from treino.folders.documents.verification import NAME
from treino.folders.store.output_files import JSON

KEEP_OF_MEMBER = Refusal(
    "{run} is a network of a sweep, which has no folder and no report of its own.",
    "Write the document with --to FILE.json instead.",
)

STATUS = {"equal": 0, "close": 0, "different": 1, "unverifiable": 1}

WHAT = {
    "settings": N_("settings"),
    "losses": N_("losses of steps"),
    "validation": N_("figures of validation rows on the way"),
    "states": N_("numbers of recorded states"),
    "weights": N_("numbers of the kept weights"),
    "figures": N_("figures at the end"),
}
VERDICTS = {
    "equal": N_("equal: every bit of the weights and of the losses is the same."),
    "member": N_("equal: every bit of the weights and every recorded figure is the same."),
    "close": N_(
        "close: it parts by no more than rounding explains, and its test figures lie in the intervals."
    ),
    "different": N_("different."),
    "unverifiable": N_("unverifiable: {reason}"),
}


@with_flags
def verify(
    run: RunName = "last",
    /,
    *,
    engine: Annotated[
        Words, Parameter(help="train with another kernel: module, batched or lanes; equal but for rounding")
    ] = None,
    keep: Annotated[
        bool, Parameter(help="keep the document in the run's exports/, and its report tells of it"), WRITE
    ] = False,
    to: Annotated[ToFile, Parameter(help="write the document to this .json file")] = None,
    replace: Replace = False,
    flags: AccessFlags,
    screen: ScreenFlag,
) -> int:
    """Train a run again from what its folder says, and say what is equal: losses, states, weights, figures.

    Where it parts, it is said at which step and in which tensor first, and what may explain it. Nothing that
    the run recorded is changed. Exit status: 0 equal or close, 1 different or unverifiable, 4 if it diverged
    both times.

    Examples: treino verify last | treino verify wine-sweep-1:17 --to paper.json
    """
    from treino.training.stored_results import open_run
    from treino.training.verification import verify as train_again

    opened = open_run(run, flags.access)
    reads = () if flags.data_file is None else (flags.data_file,)
    output = output_file(to, JSON, replace=replace, reads=reads)
    if keep and opened.folder.kind == "sweep":
        raise KEEP_OF_MEMBER(run=opened.name)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=16),
        TextColumn("{task.fields[count]}", markup=False),
    )
    with Progress(*columns, console=screen.err, transient=True, disable=not screen.live) as bar:
        task = bar.add_task(_("training again"), total=1.0, count="")

        def tell(done: int, of: int) -> None:
            count = _("step {done:,} of {of:,}").format(done=done, of=of)
            bar.update(task, completed=done / max(of, 1), count=count)

        document = train_again(opened, engine=engine, tell=tell).to_json()
    content = json_bytes(document)
    if keep:
        path = opened.folder.write_bytes(NAME, content)
        screen.err.print(_("Kept in {path}.").format(path=path))
    if output is not None:
        output.write(content)
    screen.document(document | {"path": to, "replaced": say_replaced(screen.err, output)})
    _say(screen, document, [*opened.folder.notices])
    return STATUS[document["verdict"]] or exit_status(document)


def _say(screen: Screen, document: Mapping[str, Any], notices: list[str]) -> None:
    """Print the verdict, what was compared, where the trainings first differ, and what may explain it."""
    out = screen.out
    for notice in notices:
        screen.err.print(notice)
    kind = document["verdict"]
    if kind == "equal" and "losses" not in document["compared"]:
        kind = "member"
    verdict = _(VERDICTS[kind]).format(reason=document["reason"])
    out.print(f"{document['run']}: {verdict}")
    if document["verdict"] in ("equal", "close") and exit_status(document):
        out.print(_("It diverged again, as it did the first time."))
    for each, tally in document["compared"].items():
        out.print(
            _("  {equal:,} of {compared:,} {what} are equal").format(
                equal=tally["equal"], compared=tally["compared"], what=_(WHAT[each])
            )
        )
    if (first := document["first_difference"]) is not None:
        out.print(
            _("It parts first at step {step:,}: {what}.").format(step=first["step"], what=_parted(first))
        )
    for sentence in (*document["explanations"], *document["not_compared"]):
        out.print(sentence)
    if document["now"] is not None:
        out.print(_("Again: {command}").format(command=document["command"]))


def _parted(first: Mapping[str, Any]) -> str:
    """The first difference in words."""
    names = {
        "settings": _("the setting {name}").format(name=first["name"]),
        "losses": _("the loss"),
        "validation": first["name"],
        "states": _("{name} in the recorded state").format(name=first["name"]),
        "weights": _("{name} of the kept weights").format(name=first["name"]),
        "figures": first["name"],
    }
    recorded, found, relative = (
        "–" if first[key] is None else numeral(first[key], ".9g" if key != "relative" else ".2g")
        for key in ("recorded", "found", "relative")
    )
    text = _("{name} is {found}, and {recorded} is recorded; relative difference {relative}")
    said = text.format(name=names[first["kind"]], found=found, recorded=recorded, relative=relative)
    if first["of"] == 1:
        return said
    text = _("{said}; {n:,} of {of:,} numbers differ")
    return text.format(said=said, n=first["numbers"], of=first["of"])
