"""``treino doctor``: the doctor's own command, a run's findings, and a check of the installation."""

import os
import platform
import re
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from treino.base.errors import Refusal
from treino.base.machine import cpu_cores, not_on_windows
from treino.base.option_marks import OptionMark
from treino.base.words import N_, _, interface
from treino_doctor import command
from treino_doctor.base.screen import Screen

VARIABLES = "TREINO_DOCTOR_"
DOCTOR_OF_SCRIPT = Refusal("{flag} is for scripts; {subject}", "{instead}")

# ---- installation


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
    """Yield (package, its extra or None) for each of treino's requirements, in the order of declaration."""
    for text in requires("treino") or ():
        name, extra = re.match(r"[\w.-]+", text), re.search(r"extra == ['\"]([\w.-]+)", text)
        if name:
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

    cores, threads = cpu_cores(), torch.get_num_threads()
    hint = _("More threads than cores: set OMP_NUM_THREADS={n}.").format(n=cores) if threads > cores else ""
    rows = [_row(_("threads"), _("{t} for {c} cores").format(t=threads, c=cores), threads <= cores, hint)]
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
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

MORE = (
    N_("       treino doctor RUN: the findings of a run of treino's own, by its name or folder"),
    N_("       treino doctor: check the installation"),
)
ABOUT = N_("Find what PyTorch stays silent about, in any training script, unchanged.")


def doctor(tokens: Sequence[str], screen: Screen) -> int:
    """Run ``treino doctor TOKENS``: of a script it is ``treino-doctor``."""
    request = command.parse(_with_options(tokens, screen), "treino doctor")
    target = request.target
    if request.informs:
        return command.about(request, screen, [_(line) for line in MORE])
    if target is None:
        _refuse_for_scripts(
            request,
            ("fail_on",),
            _("without a script the installation is checked."),
            _("Name the script: treino doctor SCRIPT.py"),
        )
        return _installation(screen)
    if request.module is None and not target.endswith(command.SCRIPTS) and not Path(target).is_file():
        return _run(target, request, screen)

    not_on_windows("treino doctor SCRIPT")
    if request.outputs:
        from treino.folders.store.output_files import refuse_run

        for path in request.outputs:
            refuse_run(Path(path))
    # messages to a script's author name settings as Python keywords
    with interface("keyword"):
        return command.run(request, screen)


doctor.__doc__ = ABOUT  # in the list of commands


def _with_options(tokens: Sequence[str], screen: Screen) -> list[str]:
    """The command line with the flags that the environment or a configuration file sets beside it, which are
    named on the screen."""
    named = any(token.partition("=")[0] == "--config" for token in tokens)
    if not (named or Path("treino.toml").is_file() or any(v.startswith(VARIABLES) for v in os.environ)):
        return list(tokens)
    from treino.cli.app import all_verbs
    from treino.cli.configuration import Form, note, options, split_config

    words, path = split_config(tokens)
    typed = {word.partition("=")[0] for word in words[: words.index("--") if "--" in words else len(words)]}
    flags = {row[0].split()[-1][2:].replace("-", "_"): row for row in command.FLAGS}
    known = {name: Form(OptionMark(tuple(row[2].split()))) for name, row in flags.items()}
    added, used = [], []
    for option in options("doctor", all_verbs(), path, known):
        names, value, _reach, _about = flags[option.name]
        *_short, name = names.split()
        if typed.isdisjoint(names.split()) and option.texts != ["false"]:
            typed.add(name)
            added.append(name if value is None else f"{name}={option.texts[0]}")
            used.append(option)
    if used:
        screen.lines(note(used))
    return [*added, *words]


def _refuse_for_scripts(request: command.Request, also: Sequence[str], subject: str, instead: str) -> None:
    """Refuse options that need a script. also: further fields that need one. subject: end of the message."""
    asked = [name for name in (*command.OF_SCRIPT, *also) if getattr(request, name) not in (None, False)]
    flags = [
        *("--" + name.replace("_", "-") for name in asked),
        *([" ".join(request.arguments)] if request.arguments else []),
    ]
    if flags:
        raise DOCTOR_OF_SCRIPT(flag=flags[0], subject=subject, instead=instead)


def _installation(screen: Screen) -> int:
    from treino.base.console import console, line

    result = check()
    out = console(screen.output, quiet=screen.as_json)
    for row in result["checks"]:
        mark = ("ok", "green") if row["ok"] else (_("no"), "red")
        out.print(line("  ", mark, f"  {row['name']}: {row['value']} {row['hint']}".rstrip()))
    screen.document(result)
    return int(result["exit"])


def _run(name: str, request: command.Request, screen: Screen) -> int:
    """Print the findings stored in a treino run."""
    from treino.training.stored_results import open_run
    from treino_doctor.finding import Finding
    from treino_doctor.output.report import text_of_run

    run = open_run(name)
    _refuse_for_scripts(
        request,
        (),
        _("{run} is a run, and no code of it is fixed or run.").format(run=run.name),
        _("Its findings say which settings to change in a new training: treino doctor {run}").format(
            run=run.typed
        ),
    )
    document = run.document
    stored, steps = document.get("findings", []), document.get("steps", 0)
    findings = [Finding(**f) for f in stored]
    screen.show(text_of_run(findings, steps, run.name))
    status = 3 if command.fails(findings, request.fail_on) else 0
    screen.document(
        {
            "subject": document["path"],
            "steps": steps,
            "findings": stored,
            "overhead": 0.0,
            "exit": status,
        }
    )
    return status
