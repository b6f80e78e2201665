"""``treino lessons``: the course, an exercise for each lesson, and the table of a class."""

import io
import webbrowser
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.table import Table

from treino.base.errors import Refusal
from treino.base.option_marks import CODE, READ, WRITE
from treino.base.words import _, language
from treino.cli import main
from treino.cli.flags import FromFile, ScreenFlag, Switch, with_flags
from treino.cli.screen import Screen
from treino.folders import OutputFile
from treino_lessons.course import pages
from treino_lessons.page_file import course
from treino_lessons.tasks.exercise import Exercise
from treino_lessons.tasks.kata import Kata
from treino_lessons.tasks.pupil import Pupil, TaskFlags
from treino_lessons.tasks.record import STEM, read_progress

CLASS_FOLDER = Refusal(
    "There is no pupil's record in {path}.",
    "Put the files there that your pupils made, such as by: treino lessons --to ana.json",
)

COURSE = Path("lessons.html")
SOLVED, TRIED, LEFT = "●○·"  # of an exercise, in the table of a class


@dataclass(frozen=True)
class LessonFlags(TaskFlags):
    """What is wanted of an exercise or of the course."""

    solution: Annotated[Switch, Parameter(help="its solution, after a try of yours")] = False
    class_: Annotated[
        FromFile, Parameter(name="--class", help="a folder with pupils' records: one table of the class")
    ] = None
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
    pupil = Pupil(Exercise, options.pupil, screen)
    pupil.check(what, options, {"--solution": options.solution, "--class": bool(options.class_)})
    if options.class_:
        return _class(Path(options.class_), screen)
    if what is None:
        return pupil.export(options) if options.to else _course(pupil, options.no_browser)
    return pupil.solution(what) if options.solution else pupil.work(what, options)


def _course(pupil: Pupil, no_browser: bool) -> int:
    every, left, screen = pages(), pupil.left(), pupil.screen
    done = {*pupil.kind.names()} - {*left}
    output = OutputFile(COURSE, (".html",), replace=True)
    with (
        redirect_stdout(io.StringIO()),
        redirect_stderr(io.StringIO()),
    ):  # the page that the lessons' links open, if that app is installed
        main(["--lang", language(), "playground", "--no-browser"])
    output.write(course(done).encode())
    rows = [
        {"lesson": page.number, "title": page.title, "exercise": page.exercise}
        | (pupil.recorded(page.exercise) if page.exercise else {})
        for page in every
    ]
    document = {"lessons": rows, "done": len(done), "next": next(iter(left), None), "path": str(COURSE)}
    screen.document(document)
    pupil.show([(p.exercise, (f"{p.number:>4}", p.title, p.exercise or "")) for p in every])
    pupil.say_tally()
    screen.out.print(_("The lessons are in {path}.").format(path=COURSE))
    with suppress(webbrowser.Error):
        if no_browser or webbrowser.get().open(COURSE.absolute().as_uri()):
            return 0
    screen.err.print(_("No browser was found here: open the file in one."))
    return 0


# ---- a class


def _class(folder: Path, screen: Screen) -> int:
    heads = _("pupil"), _("solved"), _("hints"), _("solutions seen"), _("katas"), _("last"), _("lessons")
    table = Table(*heads, box=None, pad_edge=False)
    rows = [_pupil(path) for path in sorted([*folder.glob("*.json"), *folder.glob(f"*/{STEM}*.json")])]
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
    found = {name: progress.of(name) for name in Exercise.names()}
    mended = [r.solved for r in map(progress.of, Kata.names()) if r.solved]
    solved = [r.solved for r in found.values() if r.solved]
    return {
        "pupil": path.absolute().parent.name if path.stem == STEM else path.stem.removeprefix(f"{STEM}-"),
        "solved": len(solved),
        "hints": sum(r.hints for r in found.values()),
        "shown": sum(r.shown for r in found.values()),
        "katas": len(mended),
        "last": max([*solved, *mended], default="")[:10],
        "exercises": {name: SOLVED if r.solved else TRIED if r.tries else LEFT for name, r in found.items()},
    }
