"""Ctrl-C while a program of ours imports what it needs: one sentence and status 130, and nothing else.

The programs import this file first, so it imports only what Python has loaded already. An exception amid an
import could be swallowed there, or come out as another one; a process that has begun nothing just ends.
"""

import os
import sys
from _signal import SIGINT, default_int_handler, getsignal, signal  # type: ignore[import-not-found]

TYPE_CHECKING = False  # the module typing takes as long as all the rest
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

PROGRAMS = "treino", "treino-doctor", "treino_doctor"
STATUS = 130

document_to: int | None = 1  # the descriptor to which the JSON document goes; None: it is written
interrupted = False  # whether a Ctrl-C came that did not end the process at once
working = False  # whether the command's own work has begun
has_begun: list["Callable[[], bool]"] = []
"""Functions that say whether there is something that only an exception tidies up, such as a new folder."""


def _is_program() -> bool:
    """Whether this process is one of the programs; False in those that they start, and in anybody else's."""
    words = sys.orig_argv[1:]
    called = sys.argv[0] if sys.argv else ""
    if called == "-m":  # amid the import of the package
        return words[words.index("-m") + 1 :][:1] in ([name] for name in PROGRAMS)
    return called in words and os.path.basename(called).removesuffix(".exe") in PROGRAMS


def watch() -> None:
    """From now on a Ctrl-C amid an import ends the process, if it is one of the programs."""
    if _is_program() and getsignal(SIGINT) is default_int_handler:
        signal(SIGINT, _on_ctrl_c)
        sys.unraisablehook = _on_unraisable


def watch_no_more() -> None:
    """Ctrl-C raises KeyboardInterrupt again, as in any Python: before a user's script runs."""
    if getsignal(SIGINT) is _on_ctrl_c:
        signal(SIGINT, default_int_handler)
        sys.unraisablehook = sys.__unraisablehook__


def _on_ctrl_c(number: int, frame: "FrameType | None") -> None:
    global interrupted
    if os.getpid() == _PROCESS and not interrupted:
        if not working or (_importing(frame) and not any(begun() for begun in has_begun)):
            _leave()
        interrupted = True
    raise KeyboardInterrupt


def _on_unraisable(unraisable: "Any") -> None:
    """Send a Ctrl-C once more that came amid a destructor or a callback of the interpreter, and was lost."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        os.kill(os.getpid(), SIGINT)
    else:
        sys.__unraisablehook__(unraisable)


def _importing(frame: "FrameType | None") -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _leave() -> None:
    """End the process with the sentence, and the document if ``--json`` asks for one."""
    sentence = _sentence()
    words = sys.orig_argv[: sys.orig_argv.index("--")] if "--" in sys.orig_argv else sys.orig_argv
    try:
        os.write(2, f"{sentence}\n".encode())
        if "--json" in words and document_to is not None:
            document = '{"error": {"rule": "interrupted", "message": "%s", "hint": ""}}\n'
            os.write(document_to, (document % sentence).encode())
    finally:
        os._exit(STATUS)


def _sentence() -> str:
    words = sys.modules.get("treino_doctor.base.words")
    try:
        return str(words._("Stopped.")) if words is not None else "Stopped."
    except Exception:  # amid its import
        return "Stopped."


_PROCESS = os.getpid()
watch()
