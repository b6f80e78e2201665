"""``treino kata``: training scripts with a fault, to be mended; hints, and the judgement of a mended one."""

from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

from cyclopts import Parameter
from rich.table import Table

from treino.base.console import line
from treino.base.errors import Refusal, TreinoError
from treino.base.option_marks import CODE, READ, WRITE
from treino.base.words import N_, _, numeral
from treino.cli.flags import ScreenFlag, Switch, ToFile
from treino.cli.screen import Replace, Screen, say_replaced
from treino.folders import OutputFile
from treino_lessons.katas.examination import Examination
from treino_lessons.katas.hints import hints, number_of_hints
from treino_lessons.katas.judgement import Verdict, judge, script_text
from treino_lessons.katas.kata import Kata, kata_named, kata_of, katas
from treino_lessons.progress import AnyRecord, KataRecord, Progress, check_progress, read_progress, record

HINT_OF_NONE = Refusal("--hint needs the name of a kata.", "Such as: treino kata wine --hint", rule="usage")
USAGE = Refusal(
    "--to and --replace are for a kata that is given.", "Name the kata alone: treino kata wine --to FILE.py"
)

ENDING = ".py"
SEEN = "measured", "printed", "seconds", "backwards", "findings"  # examination fields in the document
LEVELS = {
    1: N_("the loop and its loss"),
    2: N_("figures that deceive"),
    3: N_("two faults, or subtle ones"),
}


def kata(
    what: Annotated[
        str | None,
        Parameter(
            name="NAME|FILE.py", help="a kata, to be given to you; a script, to be checked; alone: the list"
        ),
        CODE | READ | WRITE,
    ] = None,
    /,
    *,
    hint: Annotated[Switch, Parameter(help="one more hint about this kata, each time")] = False,
    to: Annotated[ToFile, Parameter(help="the file to write; default: kata-NAME.py")] = None,
    replace: Replace = False,
    screen: ScreenFlag,
) -> int:
    """Mend a training script: each has a fault that PyTorch stays silent about, and a story.

    The doctor runs what you mended, and rows that your script never saw say by how much it is better. What
    you have done stands in kata.json, in the folder that you are in.

    Examples: treino kata | treino kata wine | treino kata wine --hint | treino kata kata-wine.py
    """
    is_file = what is not None and what.endswith(ENDING)
    if (to is not None or replace) and (what is None or is_file or hint):
        raise USAGE()
    if what is None:
        if hint:
            raise HINT_OF_NONE()
        return _list(screen)
    if is_file and not hint:
        return _check(Path(what), screen)
    kata = kata_of(script_text(Path(what)), what) if is_file else kata_named(what)
    return _hint(kata, screen) if hint else _give(kata, to, replace, screen)


# ---- the list


def _list(screen: Screen) -> int:
    progress = read_progress()
    every = katas()
    done = [name for name in every if progress.of(KataRecord, name).mended]
    left = _next(progress)
    screen.document(
        {"katas": [_row(k, progress, left) for k in every.values()], "done": len(done), "next": left}
    )
    for level, about in LEVELS.items():
        screen.out.print(line((_("Level {n}: {about}").format(n=level, about=_(about)), "bold")))
        table = Table(box=None, pad_edge=False, show_header=False)
        for k in every.values():
            if k.level == level:
                table.add_row(f"  {k.name}", k.title, _mark(k.name, progress, left))
        screen.out.print(table)
        screen.out.print()
    screen.out.print(_("{done} of {n} are mended.").format(done=len(done), n=len(every)))
    if left is not None:
        screen.out.print(_("Take the next one: treino kata {name}").format(name=left))
    return 0


def _next(progress: Progress) -> str | None:
    """The easiest kata that isn't mended; None: all are."""
    return next((name for name in katas() if not progress.of(KataRecord, name).mended), None)


def _mark(name: str, progress: Progress, left: str | None) -> str:
    """The list's note on a kata: that it is done, with the figures on fresh rows, or that it is next."""
    found = progress.of(KataRecord, name)
    if not found.mended:
        return _("next") if name == left else ""
    if found.before is None or found.after is None:
        return _("done")
    return _("done: {before} → {after}").format(before=_figure(found.before), after=_figure(found.after))


def _row(kata: Kata, progress: Progress, left: str | None) -> dict[str, Any]:
    done = progress.of(KataRecord, kata.name)
    return {
        "kata": kata.name,
        "level": kata.level,
        "title": kata.title,
        "next": kata.name == left,
        **{name: getattr(done, name) for name in KataRecord.model_fields},
    }


# ---- a kata is given


def _give(kata: Kata, to: str | None, replace: bool, screen: Screen) -> int:
    path = to or f"kata-{kata.name}{ENDING}"
    document = {"kata": kata.name, "level": kata.level, "title": kata.title, "story": kata.story}
    give("kata", path, kata.text(), document, kata.story, replace, screen)
    screen.out.print(_("Its script is in {path}: run it, find the fault, mend it.").format(path=path))
    screen.out.print(_("Then: treino kata {path}").format(path=quote(path)), soft_wrap=True)
    screen.out.print(_("A hint: treino kata {name} --hint").format(name=kata.name))
    return 0


def give(
    verb: str, path: str, text: str, document: dict[str, Any], told: list[str], replace: bool, screen: Screen
) -> None:
    """Write a learner's file, print its title and what is told of it, and make the command's document."""
    try:
        output = OutputFile(path, (ENDING,), replace=replace)
    except TreinoError as error:
        if error.rule != "file_exists":
            raise
        again = _("Check it: treino {verb} {path}. To begin anew: --replace. Elsewhere: --to FILE.py")
        again = again.format(verb=verb, path=quote(path))
        raise TreinoError(error.rule, error.message, again) from None
    output.write(text.encode())
    screen.document({**document, "path": path, "replaced": say_replaced(screen.err, output)})
    screen.out.print(line((document["title"], "bold")))
    for paragraph in told:
        screen.out.print()
        screen.out.print(paragraph)
    screen.out.print()


# ---- hints


def _hint(kata: Kata, screen: Screen) -> int:
    check_progress()
    number = number_of_hints(kata)
    shown = min(read_progress().of(KataRecord, kata.name).hints + 1, number)
    return show_hints(KataRecord, {"kata": kata.name}, hints(kata, shown), number, screen)


def show_hints(
    kind: type[AnyRecord], task: dict[str, str], texts: list[str], number: int, screen: Screen
) -> int:
    """Print these hints of a task, of which there are so many, and record that they were shown."""
    shown, left = len(texts), number - len(texts)
    (name,) = task.values()
    record(kind, name, lambda r: r.model_copy(update={"hints": max(r.hints, shown)}))
    screen.document({**task, "hints": texts, "left": left})
    for at, text in enumerate(texts, 1):
        screen.out.print(_("{n}. {text}").format(n=at, text=text))
    screen.out.print(
        _("That was the last hint.") if not left else _("Hints that are left: {n}.").format(n=left)
    )
    return 0


# ---- a check


def _check(path: Path, screen: Screen) -> int:
    check_progress()
    kata = kata_of(script_text(path), str(path))
    verdict = judge(kata, path)
    measured = verdict.before.measured, verdict.after.measured
    record(KataRecord, kata.name, lambda r: _checked(r, verdict.mended, *measured))
    screen.document(_document(verdict, path))
    for check in verdict.checks:
        mark = ("ok", "green") if check.ok else (_("no"), "red")
        screen.out.print(line("  ", mark, f"  {check.message}"))
    screen.out.print()
    for text in _conclusion(verdict):
        screen.out.print(text)
    return 0 if verdict.mended else 1


def _checked(record: KataRecord, mended: bool, before: float | None, after: float | None) -> KataRecord:
    change: dict[str, Any] = {"checks": record.checks + 1}
    if mended:
        when = record.mended or datetime.now(UTC).isoformat(timespec="seconds")
        change |= {"mended": when, "before": before, "after": after}
    return record.model_copy(update=change)


def _conclusion(verdict: Verdict) -> list[str]:
    kata, before, after = verdict.kata, verdict.before, verdict.after
    if not verdict.mended:
        return [
            _("Not mended yet."),
            _("A hint: treino kata {name} --hint").format(name=kata.name),
        ]
    lines = [_("Mended.")]
    if verdict.gain is not None:
        worth = _(
            "On fresh rows: {before} as it was given, {after} now. Printed: {said_before}, {said_after}."
        )
        lines.append(
            worth.format(
                before=_figure(before.measured),
                after=_figure(after.measured),
                said_before=_figure(before.printed),
                said_after=_figure(after.printed),
            )
        )
    lines += [f"{f['rule']}: {f['why']}" for f in before.findings if f["rule"] in kata.rules]
    left = _next(read_progress())
    lines.append(
        _("That was the last kata.")
        if left is None
        else _("The next one: treino kata {name}").format(name=left)
    )
    return lines


def _figure(value: float | None) -> str:
    return "–" if value is None else numeral(value, ".3f")


def _document(verdict: Verdict, path: Path) -> dict[str, Any]:
    return {
        "kata": verdict.kata.name,
        "path": str(path),
        "mended": verdict.mended,
        "checks": [{"name": c.name, "ok": c.ok, "message": c.message} for c in verdict.checks],
        "before": _seen(verdict.before),
        "after": _seen(verdict.after),
        "gain": verdict.gain,
    }


def _seen(examination: Examination) -> dict[str, Any]:
    own = {name: getattr(examination, name) for name in SEEN}
    return own | {"error": examination.error or None, "stopped": examination.stopped or None}
