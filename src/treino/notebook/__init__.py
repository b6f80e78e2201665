"""treino in notebooks: a figure that is updated during training, and the doctor's magics.

``fit`` and ``sweep`` are the door's own: those of ``api``, watched if asked for. In a notebook
(Jupyter, Colab, whatever has an IPython kernel) there is one output that changes, however long it takes; in a
terminal there is the command line's moving line. ``%load_ext treino`` adds ``%%doctor`` and ``%doctor on``.
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from treino import api
from treino.words import _

Watch = Callable[[Any], None]


def with_signature_of(plain: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The name, docs and arguments of ``plain``, but that ``watch`` may be True or False too."""

    def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
        watchable = wraps(plain)(function)
        signature = inspect.signature(plain)
        watch = signature.parameters["watch"].replace(annotation=bool | Watch, default=False)
        parameters = (signature.parameters | {"watch": watch}).values()
        watchable.__signature__ = signature.replace(parameters=list(parameters))  # type: ignore[attr-defined]
        watchable.__annotations__ = {**plain.__annotations__, "watch": watch.annotation}
        return watchable

    return decorated


@with_signature_of(api.fit)
def fit(data: Any, net: Any = None, *, watch: bool | Watch = False, **settings: Any) -> Any:
    if not isinstance(watch, bool):
        return api.fit(data, net, watch=watch, **settings)
    if not watch:
        return api.fit(data, net, **settings)
    many = settings.get("seeds") is not None or settings.get("folds") is not None
    with watching(many) as tell:
        return api.fit(data, net, watch=tell, **settings)


@with_signature_of(api.sweep)
def sweep(data: Any, space: Any, *, watch: bool | Watch = False, **settings: Any) -> Any:
    if not isinstance(watch, bool):
        return api.sweep(data, space, watch=watch, **settings)
    if not watch:
        return api.sweep(data, space, **settings)
    with watching(True) as tell:
        return api.sweep(data, space, watch=tell, **settings)


def kernel_shell() -> Any:
    """IPython's shell where this process is a notebook's kernel, else None."""
    if "IPython" not in sys.modules:
        return None
    shell = sys.modules["IPython"].get_ipython()
    return shell if shell is not None and hasattr(shell, "kernel") else None


@contextmanager
def watching(many: bool) -> Iterator[Watch]:
    """The receiver of events: a notebook's figure, or a terminal's line. many: of a sweep."""
    if kernel_shell() is None:
        from treino.cli.progress import ProgressLine
        from treino.console import console, watched

        with ProgressLine(console(sys.stderr), watched(sys.stderr)) as line:
            yield line.show
        return
    from treino.notebook.figures import RunFigure, SweepFigure

    figure = SweepFigure() if many else RunFigure()
    try:
        yield figure.tell
    except KeyboardInterrupt as stop:
        figure.ended_by(str(stop) or _("Stopped at once."))
        _without_traceback(stop)
        raise
    except Exception as error:
        figure.ended_by(f"{type(error).__name__}: {error}")
        raise


def _without_traceback(stop: KeyboardInterrupt) -> None:
    """IPython shows such an exception by this one line: where it is saved, and how to go on."""
    stop._render_traceback_ = lambda: [str(stop)]  # type: ignore[attr-defined]


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext treino``: the magics ``%%doctor`` and ``%doctor on`` / ``off``."""
    from treino.notebook.magics import Doctor

    doctor = Doctor(shell)
    shell.register_magic_function(doctor.line_or_cell, "line_cell", "doctor")


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext treino``."""
    magic = shell.magics_manager.magics["line"].pop("doctor", None)
    shell.magics_manager.magics["cell"].pop("doctor", None)
    if magic is not None and magic.__self__.exam is not None:  # nobody could end it any more
        magic.__self__.exam.stop()
