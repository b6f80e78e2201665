"""``treino lessons``: opens the course, gives and checks exercises, and makes the table of a class."""

import io
import webbrowser
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

from cyclopts import Parameter
from rich.table import Table

from treino.base.console import line
from treino.base.errors import Refusal
from treino.base.option_marks import CODE, READ, WRITE
from treino.base.words import _, language
from treino.cli import main
from treino.cli.flags import FromFile, ScreenFlag, Switch, ToFile, with_flags
from treino.cli.screen import Replace, Screen, say_replaced
from treino.folders import OutputFile
from treino_lessons.course import pages
from treino_lessons.exercises.exercise import Exercise, exercise_named, exercise_of
from treino_lessons.exercises.judgement import Outcome, judge
from treino_lessons.katas.judgement import script_text
from treino_lessons.katas.verb import give, show_hints
from treino_lessons.page_file import course
from treino_lessons.progress import FILE, ExerciseRecord, check_progress, read_progress, record, text

USAGE = Refusal("{flag} doesn't go together with the rest.", "See: treino lessons --help", rule="usage")
NO_TRY = Refusal(
    "The solution is shown after a try of yours.", "Write into {path}, and check it: treino lessons {path}"
)
CLASS_FOLDER = Refusal(
    "There is no pupil's record in {path}.",
    "Put the files there that your pupils made, such as by: treino lessons --to ana.json",
)

ENDING = ".py"
COURSE = Path("lessons.html")
PRINTED = 5  # most lines shown of what a learner's function printed
SOLVED, TRIED, LEFT = "●○·"  # of an exercise, in the table of a class


@dataclass(frozen=True)
class LessonFlags:
    """What is wanted of an exercise or of the course."""

    hint: Annotated[Switch, Parameter(help="one more hint for this exercise, each time")] = False
    solution: Annotated[Switch, Parameter(help="its solution, after a try of yours")] = False
    class_: Annotated[
        FromFile, Parameter(name="--class", help="a folder with pupils' records: one table of the class")
    ] = None
    to: Annotated[
        ToFile, Parameter(help="the file to write: an exercise (.py), or alone your record (.json)")
    ] = None
    replace: Replace = False
    no_browser: Annotated[Switch, Parameter(help="only write the page")] = False


@with_flags
def lessons(
    what: Annotated[
        str | None,
        Parameter(
            name="NAME|FILE.py",
            help="an exercise, to be given to you; your file of it, to be checked; alone: the course",
        ),
        CODE | READ | WRITE,
    ] = None,
    /,
    *,
    options: LessonFlags,
    screen: ScreenFlag,
) -> int:
    """Learn PyTorch from its first word on: the course in the browser, and an exercise for each lesson.

    Alone it writes the lessons into one page, lessons.html, opens it, and lists what you have solved. What
    you have done stands in kata.json, in the folder that you are in, for exercises and katas alike.

    Examples: treino lessons | treino lessons sum | treino lessons lesson-sum.py | treino lessons sum --hint |
    treino lessons --to ana.json | treino lessons --class class-7b
    """
    asked = {"--hint": options.hint, "--solution": options.solution, "--class": options.class_}
    flags = [flag for flag, value in asked.items() if value]
    if len(flags) > 1 or (flags and (options.to or (what is None) == (options.class_ is None))):
        raise USAGE(flag=flags[0])
    if options.class_:
        return _class(Path(options.class_), screen)
    if what is None:
        return _export(options.to, options.replace, screen) if options.to else _course(options, screen)
    path, is_file = Path(what), what.endswith(ENDING)
    exercise = exercise_of(script_text(path), path) if is_file else exercise_named(what)
    own = f"lesson-{exercise.name}{ENDING}"
    if options.hint:
        check_progress()
        shown = read_progress().of(ExerciseRecord, exercise.name).hints + 1
        every = exercise.hints
        return show_hints(ExerciseRecord, {"exercise": exercise.name}, every[:shown], len(every), screen)
    if options.solution:
        return _solution(exercise, own, screen)
    if is_file:
        return _check(exercise, path, screen)
    return _give(exercise, options.to or own, options.replace, screen)


# ---- the course


def _course(options: LessonFlags, screen: Screen) -> int:
    done, left = _solved()
    output = OutputFile(COURSE, (".html",), replace=True)
    with (
        redirect_stdout(io.StringIO()),
        redirect_stderr(io.StringIO()),
    ):  # the page that the lessons' links open, if that app is installed
        main(["--lang", language(), "playground", "--no-browser"])
    output.write(course(done).encode())
    every, progress = pages(), read_progress()
    rows = [
        {"lesson": page.number, "title": page.title, "exercise": page.exercise}
        | (progress.of(ExerciseRecord, page.exercise).model_dump() if page.exercise else {})
        for page in every
    ]
    screen.document({"lessons": rows, "done": len(done), "next": left, "path": str(COURSE)})
    table = Table(box=None, pad_edge=False, show_header=False)
    for page in every:
        note = _("solved") if page.exercise in done else _("next") if left and page.exercise == left else ""
        table.add_row(f"{page.number:>4}", page.title, page.exercise or "", note)
    screen.out.print(table)
    screen.out.print()
    number = sum(page.exercise is not None for page in every)
    screen.out.print(_("{done} of {n} exercises are solved.").format(done=len(done), n=number))
    _say_next(screen)
    screen.out.print(_("The lessons are in {path}.").format(path=COURSE))
    with suppress(webbrowser.Error):
        if options.no_browser or webbrowser.get().open(COURSE.absolute().as_uri()):
            return 0
    screen.err.print(_("No browser was found here: open the file in one."))
    return 0


def _solved() -> tuple[set[str], str | None]:
    """The names of the solved exercises, and that of the first lesson's that isn't; None: all are."""
    done = {name for name, found in read_progress().exercises.items() if found.solved}
    return done, next(
        (page.exercise for page in pages() if page.exercise and page.exercise not in done), None
    )


def _say_next(screen: Screen) -> None:
    _done, left = _solved()
    if left is not None:
        screen.out.print(_("Take the next one: treino lessons {name}").format(name=left))


# ---- an exercise


def _give(exercise: Exercise, path: str, replace: bool, screen: Screen) -> int:
    document = {"exercise": exercise.name, "title": exercise.title, "task": exercise.task}
    give("lessons", path, exercise.text(), document, exercise.task, replace, screen)
    screen.out.print(_("Write it into {path}. Then: treino lessons {path}").format(path=quote(path)))
    screen.out.print(_("A hint: treino lessons {name} --hint").format(name=exercise.name))
    return 0


def _solution(exercise: Exercise, own: str, screen: Screen) -> int:
    check_progress()
    if not read_progress().of(ExerciseRecord, exercise.name).tries:
        raise NO_TRY(path=own)
    record(
        ExerciseRecord, exercise.name, lambda r: r.model_copy(update={"shown": r.shown or r.solved is None})
    )
    screen.document({"exercise": exercise.name, "solution": exercise.solution})
    for row in exercise.solution.splitlines():
        screen.out.print(row, soft_wrap=True)
    return 0


def _check(exercise: Exercise, path: Path, screen: Screen) -> int:
    check_progress()
    tried = not exercise.untouched(script_text(path))
    outcome, printed = judge(exercise, path)
    passed = tried and not outcome.message
    if not tried:
        outcome = Outcome(_("Nothing is written there yet."), _("Write in place of the three dots."))
    now = datetime.now(UTC).isoformat(timespec="seconds")

    def checked(r: ExerciseRecord) -> ExerciseRecord:
        solved = r.solved or (now if passed else None)
        change = {"checks": r.checks + 1, "tries": r.tries + tried, "solved": solved}
        return r.model_copy(update=change)

    found = record(ExerciseRecord, exercise.name, checked)
    document = {"exercise": exercise.name, "path": str(path), "printed": printed}
    screen.document(document | {"passed": passed, **outcome._asdict()})
    for said in printed.splitlines()[-PRINTED:]:
        screen.err.print(said)
    mark = (_("Right."), "bold green") if passed else (_("Not yet."), "bold red")
    screen.out.print(line(mark, " ", outcome.message))
    if outcome.hint:
        screen.out.print(outcome.hint)
    if passed:
        _say_next(screen)
    elif found.hints < len(exercise.hints):
        screen.out.print(_("A hint: treino lessons {name} --hint").format(name=exercise.name))
    else:
        screen.out.print(_("Its solution: treino lessons {name} --solution").format(name=exercise.name))
    return 0 if passed else 1


# ---- a class


def _export(to: str, replace: bool, screen: Screen) -> int:
    output = OutputFile(to, (".json",), reads=[FILE], replace=replace)
    output.write(text(read_progress()))
    screen.document({"path": to, "replaced": say_replaced(screen.err, output)})
    screen.out.print(_("Your record is in {path}.").format(path=to))
    return 0


def _class(folder: Path, screen: Screen) -> int:
    heads = _("pupil"), _("solved"), _("hints"), _("solutions seen"), _("katas"), _("last"), _("lessons")
    table = Table(*heads, box=None, pad_edge=False)
    rows = [_pupil(path) for path in sorted(folder.glob("*.json"))]
    if not rows:
        raise CLASS_FOLDER(path=folder)
    screen.document({"pupils": rows})
    for row in rows:
        *values, marks = row.values()
        table.add_row(*map(str, values), "".join(marks.values()))
    screen.out.print(table)
    screen.out.print(_("● solved, ○ tried, · not yet; one mark for each lesson with an exercise"))
    return 0


def _pupil(path: Path) -> dict[str, Any]:
    """The row of the pupil whose record this file is."""
    progress = read_progress(path)
    found = {page.exercise: progress.of(ExerciseRecord, page.exercise) for page in pages() if page.exercise}
    solved = [one.solved for one in found.values() if one.solved]
    mended = [one.mended for one in progress.katas.values() if one.mended]
    return {
        "pupil": path.stem,
        "solved": len(solved),
        "hints": sum(one.hints for one in found.values()),
        "shown": sum(one.shown for one in found.values()),
        "katas": len(mended),
        "last": max([*solved, *mended], default="")[:10],
        "exercises": {name: SOLVED if r.solved else TRIED if r.tries else LEFT for name, r in found.items()},
    }
