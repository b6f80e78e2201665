"""``treino doctor``: run a training script, or read a run, and report what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from treino.cli.examine import ScriptOptions, examine
from treino.cli.flags import WHOLE, ScreenFlag, with_flags
from treino.cli.installation import check
from treino.cli.output_paths import output_file
from treino.cli.screen import Screen
from treino.console import line
from treino.errors import TreinoError
from treino.store.output_files import PATCH
from treino.words import _


@dataclass(frozen=True)
class ScriptFlags(ScriptOptions):
    """The options of a script under the doctor, with their help."""

    live: Annotated[bool, Parameter(help="say certain findings as soon as they are seen", negative=())] = (
        False
    )
    max_steps: Annotated[
        int | None, WHOLE, Parameter(help="end the script after so many optimizer steps")
    ] = None
    max_time: Annotated[float | None, Parameter(help="end the script after so many seconds")] = None
    fail_on: Annotated[
        Literal["certain", "likely"] | None, Parameter(help="exit 3 where there are findings, for use in CI")
    ] = None
    prove: Annotated[bool, Parameter(help="run it as it is and fixed, side by side", negative=())] = False
    seeds: Annotated[int | None, WHOLE, Parameter(help="runs of each, with --prove; default: 3")] = None


@with_flags
def doctor(
    target: Annotated[
        str | None, Parameter(name="SCRIPT", help="a training script, or a run; alone: the installation")
    ] = None,
    /,
    *arguments: Annotated[str, Parameter(help="the script's own arguments, after --", show=False)],
    module: Annotated[
        str | None, Parameter(name=["-m", "--module"], help="run a module, as python -m does")
    ] = None,
    options: ScriptFlags,
    fix: Annotated[str | None, Parameter(help="write the fixes as a patch to this file")] = None,
    replace: Annotated[
        bool, Parameter(help="replace the file of --fix where it exists already", negative=())
    ] = False,
    screen: ScreenFlag,
) -> int:
    """Find what PyTorch stays silent about, in any training script, unchanged.

    The script runs as Python would run it, to its own exit status; the findings come at the end.

    Examples: treino doctor train.py | treino doctor train.py -- --epochs 3 | treino doctor -m package.train |
    treino doctor train.py --prove | treino doctor
    """
    for value, flag in (
        (options.max_steps, "--max-steps"),
        (options.max_time, "--max-time"),
        (options.seeds, "--seeds"),
    ):
        if value is not None and value <= 0:
            raise TreinoError(
                "usage", _("{flag} must be above 0, not {value}.").format(flag=flag, value=value)
            )
    of_script = {
        "--live": options.live,
        "--max-steps": options.max_steps,
        "--max-time": options.max_time,
        "--prove": options.prove,
        "--seeds": options.seeds,
        "--fix": fix,
        "--replace": replace,
        " ".join(arguments): arguments,
    }
    if module is not None:
        script, arguments = module, (arguments if target is None else (target, *arguments))
    elif target is None:
        _need_script(
            of_script | {"--fail-on": options.fail_on},
            _("without a script the installation is checked."),
            _("Name the script: treino doctor SCRIPT.py"),
        )
        return _installation(screen)
    elif not target.endswith(".py") and not Path(target).is_file():
        return _run(target, options.fail_on, of_script, screen)
    else:
        script = target

    reads = [] if module is not None else [script]
    return examine(
        script,
        arguments,
        screen,
        module=module is not None,
        options=options,
        fix=output_file(fix, PATCH, replace=replace, reads=reads, flag="--fix"),
    )


def _need_script(values: Mapping[str, object], subject: str, instead: str) -> None:
    """Refuse flags that need a script. values: by their flags. instead: the hint for other subjects."""
    for flag, value in values.items():
        if value not in (None, False, ()):
            raise TreinoError(
                "doctor_of_script",
                _("{flag} is for scripts; {subject}").format(flag=flag, subject=subject),
                instead,
            )


def _installation(screen: Screen) -> int:
    result = check()
    for row in result["checks"]:
        mark = ("ok", "green") if row["ok"] else ("no", "red")
        screen.out.print(line("  ", mark, f"  {row['name']}: {row['value']} {row['hint']}".rstrip()))
    screen.document(result)
    return int(result["exit"])


def _run(name: str, fail_on: str | None, of_script: Mapping[str, object], screen: Screen) -> int:
    """Print the findings stored in a run of treino. of_script: the values of flags that need a script."""
    from treino.diagnosis.finding import Finding
    from treino.diagnosis.tell.report import text_of_run
    from treino.folders import open_run

    run = open_run(name)
    _need_script(
        of_script,
        _("{run} is a run, and no code of it is fixed or run.").format(run=run.name),
        _("Its findings say which settings to change in a new training: treino doctor {run}").format(
            run=run.typed
        ),
    )
    document = run.document
    findings = document.get("findings", [])
    steps = document.get("steps", 0)
    for text in text_of_run([Finding(**f) for f in findings], steps, run.name).split("\n"):
        screen.out.print(text)
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
