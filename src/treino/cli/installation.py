"""``treino doctor`` alone: is everything there that training needs?"""

import os
import platform
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from treino.words import _

DEVELOPERS = "dev", "release", "site"  # extras that nobody needs for a training


def check() -> dict[str, Any]:
    """``checks[{name, value, ok, hint}]`` and the keys of an examination."""
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
    """(package, its extra or None) as treino itself declares them: first what every training needs."""
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
    """Threads, devices, and one step of training that must give the gradient known by hand."""
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
    """The compiled engine is optional: the other ones train everything."""
    from treino.engine.kernels.lanes_library import libraries, why_missing

    missing = why_missing()
    value = libraries()[0].name if missing is None else _("not there: {reason}").format(reason=_(missing))
    return _row(_("engine lanes"), value, True)
