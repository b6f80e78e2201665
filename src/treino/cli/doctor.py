"""``treino doctor``: run anybody's training script and say what is wrong with it."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from rich.text import Text

from treino.cli.flags import WHOLE, ScreenFlag
from treino.cli.screen import Screen
from treino.errors import TreinoError
from treino.pause import collect_as_usual
from treino.words import _

if TYPE_CHECKING:
    from treino.diagnosis.run_script import Outcome


def doctor(
    target: Annotated[
        str | None, Parameter(name="SCRIPT", help="a training script, or a run; alone: the installation")
    ] = None,
    /,
    *arguments: Annotated[str, Parameter(help="the script's own arguments, after --", show=False)],
    module: Annotated[
        str | None, Parameter(name=["-m", "--module"], help="run a module, as python -m does")
    ] = None,
    live: Annotated[
        bool, Parameter(help="say certain findings as soon as they are seen", negative=())
    ] = False,
    max_steps: Annotated[
        int | None, WHOLE, Parameter(help="end the script after so many optimizer steps")
    ] = None,
    max_time: Annotated[float | None, Parameter(help="end the script after so many seconds")] = None,
    fail_on: Annotated[
        Literal["certain", "likely"] | None, Parameter(help="exit 3 where there are findings, for use in CI")
    ] = None,
    prove: Annotated[bool, Parameter(help="run it as it is and mended, side by side", negative=())] = False,
    seeds: Annotated[int, WHOLE, Parameter(help="runs of each, with --prove")] = 3,
    fix: Annotated[str | None, Parameter(help="write the mend as a patch to this file")] = None,
    screen: ScreenFlag,
) -> int:
    """Find what PyTorch stays silent about, in any training script, unchanged.

    The script runs as Python would run it, to its own exit status; the findings come at the end.

    Examples: treino doctor train.py | treino doctor train.py -- --epochs 3 | treino doctor -m package.train |
    treino doctor train.py --prove | treino doctor
    """
    for value, flag in ((max_steps, "--max-steps"), (max_time, "--max-time"), (seeds, "--seeds")):
        if value is not None and value <= 0:
            raise TreinoError(
                "usage", _("{flag} must be above 0, not {value}.").format(flag=flag, value=value)
            )
    if module is not None:
        arguments = (target, *arguments) if target is not None else arguments
        return _examine(
            module, arguments, True, live, max_steps, max_time, fail_on, prove, seeds, fix, screen
        )
    if target is None:
        return _installation(screen)
    if not target.endswith(".py") and not Path(target).is_file():
        return _run(target, fail_on, screen)
    return _examine(target, arguments, False, live, max_steps, max_time, fail_on, prove, seeds, fix, screen)


def _installation(screen: Screen) -> int:
    from treino.diagnosis.installation import check

    found = check()
    for row in found["checks"]:
        mark = ("ok", "green") if row["ok"] else ("no", "red")
        screen.out.print(Text.assemble("  ", mark, f"  {row['name']}: {row['value']} {row['hint']}".rstrip()))
    screen.document(found)
    return int(found["exit"])


def _run(name: str, fail_on: str | None, screen: Screen) -> int:
    """The findings that a run of treino's own keeps."""
    from treino.diagnosis.finding import Finding
    from treino.diagnosis.report import text_of_run
    from treino.workflows.run import open_run

    run = open_run(name)
    document = run.document
    findings = document.get("findings", [])
    steps = document.get("steps", 0)
    screen.out.print(text_of_run([Finding(**f) for f in findings], steps, run.name))
    status = 3 if fail_on and [f for f in findings if f["certain"] or fail_on == "likely"] else 0
    screen.document(
        {
            "subject": document["path"],
            "steps": steps,
            "findings": findings,
            "overhead": 0.0,
            "exit": status,
        }
    )
    return status


def _examine(
    target: str,
    arguments: tuple[str, ...],
    module: bool,
    live: bool,
    max_steps: int | None,
    max_time: float | None,
    fail_on: str | None,
    prove: bool,
    seeds: int,
    fix: str | None,
    screen: Screen,
) -> int:
    from treino.diagnosis.finding import Finding
    from treino.diagnosis.report import document, one, text
    from treino.diagnosis.run_script import Outcome, run_script

    final = 0

    def said(finding: Finding) -> None:
        print(one(finding), file=sys.__stderr__, flush=True)

    def report(outcome: Outcome) -> None:
        nonlocal final
        final = outcome.status
        if fail_on and [f for f in outcome.exam.findings if f.certain or fail_on == "likely"]:
            final = 3
        print(text(outcome), file=sys.__stderr__, flush=True)
        found = document(outcome, final)
        if (prove or fix is not None) and outcome.exam.findings:
            found |= _mend(target, arguments, module, max_steps, max_time, outcome, prove, seeds, fix)
        if screen.as_json:
            restore()
            screen.document(found)

    collect_as_usual()
    with _output_to_stderr(screen.as_json) as restore:
        run_script(
            target,
            arguments,
            module=module,
            max_steps=max_steps,
            max_time=max_time,
            live=said if live else None,
            report=report,
        )
    return final


def _mend(
    target: str,
    arguments: tuple[str, ...],
    module: bool,
    max_steps: int | None,
    max_time: float | None,
    outcome: "Outcome",
    prove: bool,
    seeds: int,
    fix: str | None,
) -> dict[str, object]:
    from treino.diagnosis.fix import patch
    from treino.diagnosis.prove import VARIANTS, proof, table
    from treino.store.files import write_atomically

    mended = patch(outcome.exam.findings)
    found: dict[str, object] = {"patch": mended.diff, "mended": list(mended.rules)}
    if not mended.rules:
        print(_("doctor: none of these findings has a mechanical mend."), file=sys.__stderr__)
        return found
    if fix is not None:
        write_atomically(Path(fix), mended.diff.encode())
        print(
            _("doctor: the mend is in {path}; apply it with: patch -p0 < {path}").format(path=fix),
            file=sys.__stderr__,
        )
        found["path"] = fix
    if prove:
        said = _("doctor: running it {n} times more, as it is and mended, with {seeds} seeds each ...")
        print(said.format(n=VARIANTS * seeds, seeds=seeds), file=sys.__stderr__, flush=True)
        rows = proof(
            target,
            arguments,
            mended,
            module=module,
            seeds=seeds,
            max_steps=max_steps,
            max_time=max_time,
            timeout=max(600, 10 * outcome.seconds),
        )
        print(mended.diff + "\n" + table(rows), file=sys.__stderr__, flush=True)
        found["proof"] = [row.as_json() for row in rows]
    return found


@contextmanager
def _output_to_stderr(redirect: bool) -> Iterator[Callable[[], None]]:
    """Send what the script, and its children, write to stdout to stderr; yields how to end that."""
    if not redirect:
        yield lambda: None
        return
    sys.stdout.flush()
    saved = os.dup(1)
    os.dup2(2, 1)
    done = False

    def restore() -> None:
        nonlocal done
        if not done:
            done = True
            if sys.__stdout__ is not None:
                sys.stdout = sys.__stdout__
            sys.stdout.flush()
            os.dup2(saved, 1)
            os.close(saved)

    try:
        yield restore
    finally:
        restore()
