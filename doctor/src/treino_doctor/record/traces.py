"""Undo two effects of the tape on a program: wrong lines of warnings, and disabled fast paths.

Under a mode, our function calls every torch function, and so stands between a warning and its line
(https://docs.python.org/3/library/warnings.html#warnings.warn counts callers). And transformer layers take no
fast path, as it would bypass the mode.
"""

import sys
import warnings
from types import FrameType
from typing import Any

import torch
from torch import nn

from treino_doctor.record import tape
from treino_doctor.record.hooks import Hooks
from treino_doctor.record.torch_versions import past_overrides

PLAIN = (torch.Tensor, nn.Parameter, type(None))


def install(hooks: Hooks) -> None:
    """Install both corrections until the hooks are undone."""
    show, has_torch_function = warnings._showwarnmsg, torch.overrides.has_torch_function  # type: ignore[attr-defined]

    def show_at_caller(message: Any) -> None:
        if message.filename != tape.__file__ or _moved(message):
            show(message)

    def has_subclass(values: Any) -> bool:
        return has_torch_function(values) and any(type(value) not in PLAIN for value in values)

    hooks.replace(warnings, "_showwarnmsg", show_at_caller)
    hooks.replace(torch.overrides, "has_torch_function", has_subclass)


def _moved(message: Any) -> bool:
    """Set a warning's line to the program's; return whether to show it: once for each line, as in Python."""
    frame = _caller()
    if frame is None:
        return True
    key = str(message.message), message.category
    ours = vars(tape).get("__warningregistry__", {})
    once = ours.pop((*key, message.lineno), None) is not None
    message.filename, message.lineno = frame.f_code.co_filename, frame.f_lineno
    theirs = frame.f_globals.setdefault("__warningregistry__", {})
    theirs.setdefault("version", ours.get("version", 0))
    known = (*key, message.lineno) in theirs
    if once:
        theirs[(*key, message.lineno)] = True
    return not (once and known)


def _caller() -> FrameType | None:
    """The frame that called the torch function that the tape runs."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code is not tape.Tape.__torch_function__.__code__:
        frame = frame.f_back
    frame = frame.f_back if frame is not None else None
    frame, asks = past_overrides(frame)
    return frame.f_back if asks and frame is not None else frame
