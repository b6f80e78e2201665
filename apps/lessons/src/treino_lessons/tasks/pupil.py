"""A pupil at the tasks of a kind: they are listed, given, hinted at and judged in one way for all kinds."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shlex import join
from typing import Annotated, Any

from cyclopts import Parameter
from rich.table import Table

from treino.base.console import line
from treino.base.errors import Refusal, TreinoError
from treino.base.words import _
from treino.cli.flags import Switch, ToFile, Words
from treino.cli.screen import Replace, Screen, say_replaced
from treino.folders import OutputFile
from treino_lessons.tasks import AnyTask
from treino_lessons.tasks.kata import figure_text
from treino_lessons.tasks.record import TaskRecord, check_progress, read_progress, record, record_path, text

USAGE = Refusal("This doesn't go together: {typed}", "See: treino {verb} --help", rule="usage")
PUPIL_NAME = Refusal("A pupil can't be called {name!r}.", "Use letters, digits, - and _: --pupil ana")
NO_TRY = Refusal("The solution is shown after a try of yours.", "Write into {path}, and check it: {command}")

ENDING = ".py"
PRINTED = 5  # most lines shown of what a pupil's file printed
GIVEN = {"--to"}, {"--replace"}, {"--to", "--replace"}  # flags that go together, beside a task's name
OF_FILE: tuple[set[str], ...] = (set(), {"--hint"}, {"--solution"})  # beside a file
ALONE: tuple[set[str], ...] = (set(), {"--class"}, {"--to"}, {"--to", "--replace"})  # beside nothing


@dataclass(frozen=True)
class TaskFlags:
    """What is wanted of a task."""

    hint: Annotated[Switch, Parameter(help="one more hint for this task, each time")] = False
    to: Annotated[
        ToFile, Parameter(help="the file to write: of a task (.py), or alone your record (.json)")
    ] = None
    replace: Replace = False
    pupil: Annotated[
        Words, Parameter(help="whose record and files, where several pupils share a folder: --pupil ana")
    ] = None


@dataclass(frozen=True)
class Pupil:
    """Who works at the tasks of a kind. name: None if the folder has no other pupil."""

    kind: type[AnyTask]
    name: str | None
    screen: Screen

    def check(self, what: str | None, options: TaskFlags, others: dict[str, bool] | None = None) -> None:
        """Refuse flags that don't go together, and a name that can't be a part of a file's.

        Raises:
            TreinoError: usage, pupil_name.
        """
        own = {"--hint": options.hint, "--to": bool(options.to), "--replace": options.replace}
        typed = {flag for flag, value in (own | (others or {})).items() if value}
        of_name = (*OF_FILE, *GIVEN)
        if typed not in (ALONE if what is None else OF_FILE if what.endswith(ENDING) else of_name):
            words = [self.kind.verb, *([what] if what else []), *sorted(typed)]
            raise USAGE(typed=join(["treino", *words]), verb=self.kind.verb)
        if self.name is not None and not re.fullmatch(r"[\w-]+", self.name):
            raise PUPIL_NAME(name=self.name)

    @property
    def path(self) -> Path:
        """Where the record is."""
        return record_path(self.name)

    def file(self, task: AnyTask) -> str:
        """The name of the pupil's file of a task."""
        return "-".join(filter(None, [self.kind.file, task.name, self.name])) + ENDING

    def command(self, *words: str) -> str:
        """What this pupil types."""
        own = ["--pupil", self.name] if self.name else []
        return join(["treino", self.kind.verb, *words, *own])

    def say(self, sentence: str) -> None:
        self.screen.out.print(sentence, soft_wrap=True)

    def left(self) -> list[str]:
        """The names of the tasks that aren't solved, the easiest first."""
        progress = read_progress(self.path)
        return [name for name in self.kind.names() if not progress.of(name).solved]

    def say_next(self) -> None:
        if left := self.left():
            self.say(_("Take the next one: {command}").format(command=self.command(left[0])))

    # ---- lists

    def recorded(self, name: str) -> dict[str, Any]:
        """What is recorded of a task, as in the list's JSON."""
        found = read_progress(self.path).of(name)
        return {key: getattr(found, field) for key, field in self.kind.recorded.items()}

    def show(self, rows: Iterable[tuple[str | None, tuple[str, ...]]]) -> None:
        """Print the (task, cells) of a list, each with a note on what was done with the task."""
        table = Table(box=None, pad_edge=False, show_header=False)
        progress, left = read_progress(self.path), self.left()
        for name, cells in rows:
            found, note = progress.of(name or ""), _("next") if name in left[:1] else ""
            if found.solved:
                figures = {"before": figure_text(found.before), "after": figure_text(found.after)}
                note = _("done") if found.after is None else _("done: {before} → {after}").format(**figures)
            table.add_row(*cells, note)
        self.screen.out.print(table)
        self.screen.out.print()

    def say_tally(self) -> None:
        n = len(self.kind.names())
        self.say(_(self.kind.tally).format(done=n - len(self.left()), n=n))
        self.say_next()

    def export(self, options: TaskFlags) -> int:
        """Write a copy of the record."""
        output = OutputFile(str(options.to), (".json",), reads=[self.path], replace=options.replace)
        output.write(text(read_progress(self.path)))
        self.screen.document({"path": options.to, "replaced": say_replaced(self.screen.err, output)})
        self.say(_("Your record is in {path}.").format(path=options.to))
        return 0

    # ---- one task

    def work(self, what: str, options: TaskFlags) -> int:
        """Give the task of this name, or judge this file; or hint at the task of either."""
        task = self._task(what)
        if options.hint:
            return self._hint(task)
        return self._judge(task, Path(what)) if what.endswith(ENDING) else self._give(task, options)

    def _task(self, what: str) -> AnyTask:
        return self.kind.of_file(Path(what)) if what.endswith(ENDING) else self.kind.named(what)

    def _give(self, task: AnyTask, options: TaskFlags) -> int:
        path = options.to or self.file(task)
        try:
            output = OutputFile(path, (ENDING,), replace=options.replace)
        except TreinoError as error:
            if error.rule != "file_exists":
                raise
            again = _("Check it: {command}. To begin anew: --replace. Elsewhere: --to FILE.py")
            again = again.format(command=self.command(path))
            raise TreinoError(error.rule, error.message, again) from None
        output.write(task.text().encode())
        replaced = say_replaced(self.screen.err, output)
        self.screen.document(task.document | {"path": path, "replaced": replaced})
        self.screen.out.print(line((task.title, "bold")))
        for paragraph in task.story:
            self.screen.out.print()
            self.screen.out.print(paragraph)
        self.screen.out.print()
        self.say(_(self.kind.given).format(path=path))
        self.say(_("Then: {command}").format(command=self.command(path)))
        self._say_hint(task)
        return 0

    def _say_hint(self, task: AnyTask) -> None:
        self.say(_("A hint: {command}").format(command=self.command(task.name, "--hint")))

    def _hint(self, task: AnyTask) -> int:
        shown = min(check_progress(self.path).of(task.name).hints + 1, task.hint_count)
        texts, left = task.hints(shown), task.hint_count - shown
        record(self.path, task.name, lambda r: r.model_copy(update={"hints": max(r.hints, shown)}))
        self.screen.document({self.kind.kind: task.name, "hints": texts, "left": left})
        for at, hint in enumerate(texts, 1):
            self.screen.out.print(_("{n}. {text}").format(n=at, text=hint))
        self.say(_("That was the last hint.") if not left else _("Hints that are left: {n}.").format(n=left))
        return 0

    def _judge(self, task: AnyTask, path: Path) -> int:
        check_progress(self.path)
        verdict = task.judge(path)

        def checked(r: TaskRecord) -> TaskRecord:
            change: dict[str, Any] = {"checks": r.checks + 1, "tries": r.tries + verdict.tried}
            if verdict.passed:
                now = datetime.now(UTC).isoformat(timespec="seconds")
                change |= {"solved": r.solved or now, **verdict.figures}
            return r.model_copy(update=change)

        found = record(self.path, task.name, checked)
        self.screen.document({self.kind.kind: task.name, "path": str(path)} | verdict.document)
        for row in verdict.output.splitlines()[-PRINTED:]:
            self.screen.err.print(row)
        for _name, ok, sentence in verdict.checks:
            mark = ("ok", "green") if ok else (_("no"), "red")
            self.screen.out.print(line("  ", mark, f"  {sentence}"))
        if verdict.checks:
            self.screen.out.print()
        words = _(self.kind.verdicts[verdict.passed])
        style = "bold green" if verdict.passed else "bold red"
        self.screen.out.print(line((words, style), f" {verdict.message}" if verdict.message else ""))
        for remark in verdict.remarks:
            self.screen.out.print(remark)
        if verdict.passed:
            self.say_next()
        elif found.hints < task.hint_count:
            self._say_hint(task)
        elif task.solution:
            self.say(_("Its solution: {command}").format(command=self.command(task.name, "--solution")))
        return 0 if verdict.passed else 1

    def solution(self, what: str) -> int:
        """Show the solution of a task that the pupil has tried, and record it."""
        task = self._task(what)
        if not check_progress(self.path).of(task.name).tries:
            path = self.file(task)
            raise NO_TRY(path=path, command=self.command(path))
        change = {"shown": True}
        record(self.path, task.name, lambda r: r if r.solved else r.model_copy(update=change))
        self.screen.document({self.kind.kind: task.name, "solution": task.solution})
        for row in task.solution.splitlines():
            self.say(row)
        return 0
