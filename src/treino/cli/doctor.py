"""``treino doctor``: run a training script, or read a run, and report its faults."""

import os
import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from treino.cli.flags import WHOLE, ScreenFlag, with_flags
from treino.cli.screen import Screen, output_file
from treino.console import line
from treino.errors import TreinoError
from treino.garbage_collection import collect_as_usual
from treino.store.output_files import PATCH
from treino.words import _, door

if TYPE_CHECKING:
    from treino.store.output_files import OutputFile
    from treino_doctor.process.run_script import Outcome


# ---- scripts

SEEDS = 3  # runs of each variant of the script with --prove


def is_plain_call(tokens: Sequence[str]) -> bool:
    """Whether the command line is ``doctor SCRIPT.py``, alone or with ``-- ARGUMENTS``.

    Such a command needs no parser of flags, whose import takes as long as a hundred steps of a small net.
    """
    verb, script, rest = tokens[:1], "".join(tokens[1:2]), tokens[2:3]
    return verb == ["doctor"] and script.endswith(".py") and script[0] != "-" and rest in ([], ["--"])


@dataclass(frozen=True)
class ScriptOptions:
    """How a script is run under the doctor.

    live: print certain findings at once. max_steps: maximum number of optimizer steps. max_time: in seconds.
    fail_on: the findings that make the exit status 3. prove: run the script again unchanged and fixed,
    ``seeds`` times each (None: SEEDS).
    """

    live: bool = False
    max_steps: int | None = None
    max_time: float | None = None
    fail_on: Literal["certain", "likely"] | None = None
    prove: bool = False
    seeds: int | None = None


def examine(
    target: str,
    arguments: Sequence[str],
    screen: Screen,
    *,
    module: bool = False,
    options: "ScriptOptions | None" = None,
    fix: "OutputFile | None" = None,
) -> int:
    """Run a script as ``treino doctor`` does. Return the exit status: the script's own, or 3."""
    from treino_doctor.finding import Finding
    from treino_doctor.output.coverage import coverage
    from treino_doctor.output.report import document, one, text
    from treino_doctor.process.run_script import Outcome, run_script

    options = options or ScriptOptions()
    final = 0

    def print_finding(finding: Finding) -> None:
        screen.lines(one(finding))

    def report(outcome: Outcome) -> None:
        nonlocal final
        final = outcome.status
        if options.fail_on and [f for f in outcome.exam.findings if f.certain or options.fail_on == "likely"]:
            final = 3
        covered = coverage(outcome.exam)
        screen.lines(text(outcome, covered))
        result = document(outcome, final, covered)
        if (options.prove or fix is not None) and outcome.exam.findings:
            result |= _mend(target, arguments, module, options, outcome, fix, screen)
        screen.document(result)

    collect_as_usual()
    # messages to a script's author name settings as Python keywords
    with door("keyword"):
        run_script(
            target,
            arguments,
            module=module,
            max_steps=options.max_steps,
            max_time=options.max_time,
            live=print_finding if options.live else None,
            report=report,
        )
    return final


def _mend(
    target: str,
    arguments: Sequence[str],
    module: bool,
    options: ScriptOptions,
    outcome: "Outcome",
    fix: "OutputFile | None",
    screen: Screen,
) -> dict[str, object]:
    from treino.cli.screen import say_replaced
    from treino_doctor.output.fix import patch
    from treino_doctor.output.prove import VARIANTS, proof, table

    seeds = SEEDS if options.seeds is None else options.seeds
    mended = patch(outcome.exam.findings)
    result: dict[str, object] = {"patch": mended.diff, "mended": list(mended.rules)}
    if not mended.rules:
        screen.lines(_("doctor: none of these findings can be fixed automatically."))
        return result
    if fix is not None:
        path = fix.write(mended.diff.encode())
        screen.err.print(
            _("doctor: the fixes are in {path}; apply them with: patch -p0 < {path}").format(path=path)
        )
        result |= {"path": str(path), "replaced": say_replaced(screen.err, fix)}
    if options.prove:
        sentence = _("doctor: running it {n} times more, as it is and fixed, with {seeds} seeds each ...")
        screen.lines(sentence.format(n=VARIANTS * seeds, seeds=seeds))
        rows = proof(
            target,
            arguments,
            mended,
            module=module,
            seeds=seeds,
            max_steps=options.max_steps,
            max_time=options.max_time,
            timeout=max(600, 10 * outcome.seconds),
        )
        screen.lines(mended.diff + "\n" + table(rows))
        result["proof"] = [row.as_json() for row in rows]
    return result


# ---- installation

DEVELOPERS = "dev", "release", "site"  # extras that training never needs


def check() -> dict[str, Any]:
    """Check the installation. Return ``checks[{name, value, ok, hint}]`` and the keys of an examination."""
    checks = [_row("python", platform.python_version(), True)]
    for name, extra in _requirements():
        installed = _version(name)
        if extra is None:
            hint = "" if installed else _("Install it: pip install {name}").format(name=name)
            checks.append(_row(name, installed or _("missing"), bool(installed), hint))
        else:
            hint = "" if installed else _("Install it: pip install {name}").format(name=f"'treino[{extra}]'")
            checks.append(_row(name, installed or _("not installed (optional)"), True, hint))
    if _version("torch"):
        checks += [*_torch(), _lanes()]
    return {
        "subject": "installation",
        "steps": 0,
        "findings": [],
        "overhead": 0.0,
        "exit": 0 if all(c["ok"] for c in checks) else 1,
        "checks": checks,
    }


def _requirements() -> Iterator[tuple[str, str | None]]:
    """Yield (package, its extra or None) of treino's requirements, in the order in which it declares them."""
    for text in requires("treino") or ():
        name, extra = re.match(r"[\w.-]+", text), re.search(r"extra == ['\"]([\w.-]+)", text)
        if name and not (extra and extra[1] in DEVELOPERS):
            yield name[0], extra[1] if extra else None


def _row(name: str, value: str, ok: bool, hint: str = "") -> dict[str, Any]:
    return {"name": name, "value": value, "ok": ok, "hint": hint}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _torch() -> list[dict[str, Any]]:
    """Check threads, devices, and one backward pass, whose gradient must be right."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = torch.get_num_threads()
    hint = _("More threads than cores: set OMP_NUM_THREADS={n}.").format(n=cores) if threads > cores else ""
    rows = [_row(_("threads"), _("{t} for {c} cores").format(t=threads, c=cores), threads <= cores, hint)]
    gpus = (
        [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        if torch.cuda.is_available()
        else []
    )
    rows.append(_row(_("devices"), ", ".join(["cpu", *gpus]), True))
    with torch.random.fork_rng(devices=[]):
        w = torch.tensor([2.0], requires_grad=True)
        (w * w).sum().backward()
    right = w.grad is not None and w.grad.item() == 4.0
    rows.append(_row(_("gradient of w² at 2"), str(w.grad.item() if w.grad is not None else None), right))
    return rows


def _lanes() -> dict[str, Any]:
    """Check the compiled engine, which is optional: other engines train everything, too."""
    from treino.engine.kernels.lanes_library import libraries, why_missing

    missing = why_missing()
    value = libraries()[0].name if missing is None else _("not there: {reason}").format(reason=_(missing))
    return _row(_("engine lanes"), value, True)


# ---- command


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
    """Refuse flags that need a script. values: by flag. subject: end of the message. instead: the hint."""
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
    """Print the findings stored in a treino run. of_script: the values of the flags that need a script."""
    from treino.folders import open_run
    from treino_doctor.finding import Finding
    from treino_doctor.output.report import text_of_run

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
