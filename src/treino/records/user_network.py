"""A network of the user's own from ``FILE.py:NAME``."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

from torch import nn

from treino.engine.user_module import construct_module
from treino.errors import TreinoError, nearest
from treino.words import _

COPY = "net.py"


def own_net(where: str, seed: int) -> nn.Module:
    """Run the file and return the network: NAME is an ``nn.Module``, its class, or a function that makes one.

    A class or function is called without arguments under a random state that is derived from ``seed``,
    so that the same seed always gives the same first weights.

    Raises:
        TreinoError: no such file or name, the file raises, NAME makes something else.
    """
    path_text, colon, name = where.rpartition(":")
    path = Path(path_text)
    if not colon or not path_text or not name.isidentifier():
        raise TreinoError(
            "net_form",
            _("{value!r} does not name a network.").format(value=where),
            _("Write --net FILE.py:NAME, e.g. --net mynet.py:Net."),
        )
    if not path.is_file():
        beside = [p.name for p in path.parent.glob("*.py")] if path.parent.is_dir() else []
        hint = nearest(path.name, beside) if beside else _("Write the path from the working directory.")
        raise TreinoError("net_file_missing", _("There is no file {path}.").format(path=path), hint)
    found = _named(path, name)
    if isinstance(found, nn.Module):
        return found
    if not callable(found):
        raise TreinoError(
            "net_kind",
            _("{name} in {path} is a {kind}, not a network.").format(
                name=name, path=path, kind=type(found).__name__
            ),
            _("Name an nn.Module, its class, or a function that returns one."),
        )
    return construct_module(found, seed)


def _named(path: Path, name: str) -> Any:
    module_name = f"treino_net_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise TreinoError(
            "net_form", _("{path} is not a Python file.").format(path=path), _("Write --net FILE.py:NAME.")
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # dataclasses and pickles inside the file look their module up
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        line = _line_in(error, path)
        raise TreinoError(
            "net_import",
            _("{path} fails to import, at line {line}: {kind}: {error}.").format(
                path=path, line=line, kind=type(error).__name__, error=error
            ),
            _("Run it alone first: python {path}").format(path=path),
        ) from error
    finally:
        sys.path.remove(str(path.parent.resolve()))
    if not hasattr(module, name):
        names = [n for n, v in vars(module).items() if isinstance(v, (nn.Module, type)) or callable(v)]
        own = [n for n in names if getattr(getattr(module, n), "__module__", None) == module_name]
        raise TreinoError(
            "net_name",
            _("There is no {name} in {path}.").format(name=name, path=path),
            nearest(name, own or names),
        )
    return getattr(module, name)


def _line_in(error: BaseException, path: Path) -> int:
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename) == path.resolve():
        return error.lineno or 0
    line, trace = 0, error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).resolve() == path.resolve():
            line = trace.tb_lineno
        trace = trace.tb_next
    return line or getattr(error, "lineno", 0) or 0
