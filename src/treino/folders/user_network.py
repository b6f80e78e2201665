"""A network of the user's own, made by running a Python file.

Treino runs a network's code only here. Whether a file may run is decided before, in
``folders/network_source.py``: no other module makes a ``NetworkFile``.
"""

import importlib.machinery
import importlib.util
import linecache
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from treino.base.errors import Refusal, nearest
from treino.base.words import _
from treino.data.source_kinds import are_whole
from treino.engine.arguments import looks_up
from treino.engine.user_module import construct_module
from treino.settings.spec import Settings

NO_PERMISSION = Refusal(
    "The settings name the network {net}, and nobody said that its code may run.",
    "Give it with [[net=FILE.py:NAME]], or net= in Python.",
    rule="net_not_trusted",
)
NET_FILE_KIND = Refusal(
    "{name} in {path} is a {kind}, not a network.",
    "Name an nn.Module, its class, or a function that returns one.",
    rule="net_kind",
)
NET_FILE_NAME = Refusal("There is no {name} in {path}.", "{hint}", rule="net_name")
NET_IMPORT = Refusal("{path} fails to import, at line {line}: {kind}: {error}.", "{hint}")


@dataclass(frozen=True)
class NetworkFile:
    """A Python file that may run, and the name that it gives the network.

    source: the bytes that run, even if the file changes meanwhile. path: the file they were read from, for
    errors and tracebacks. siblings: the folder of files that it may import; None for a copy.
    """

    path: Path
    name: str
    source: bytes = field(repr=False)
    siblings: Path | None


NetworkFiles = Mapping[str, NetworkFile]
"""The files that may run, by their names in settings, such as ``"mynet.py:Net"``."""


def network_of(settings: Settings, files: NetworkFiles) -> nn.Module | None:
    """Make the network that ``settings.net`` names, from the settings' seed; return None if it names none.

    Raises:
        TreinoError: the network's file may not run, or fails; see ``own_net``.
    """
    file = _file_of(settings, files)
    return None if file is None else own_net(file, settings.seed)


def as_arguments(source: Any, nets: Iterable[Any], seed: int) -> Any:
    """The source, where whole numbers (X, y) are an argument of the network if one of these looks them up, as
    nn.Embedding does; else they are a table's numbers. nets: modules, what makes them, or their files."""
    if not are_whole(source):
        return source
    for net in nets:
        own = own_net(net, seed) if isinstance(net, NetworkFile) else net
        if callable(own) and not isinstance(own, nn.Module):
            own = construct_module(own, seed)
        if isinstance(own, nn.Module) and looks_up(own):
            x, *rest = source
            return ((x,), *rest)
    return source


def network_maker(settings: Settings, files: NetworkFiles) -> nn.Module | Callable[[], nn.Module] | None:
    """The function that makes an ensemble's networks, each from its own seed; or the file's module instance.

    Raises:
        TreinoError: as ``network_of``.
    """
    file = _file_of(settings, files)
    return None if file is None else _network_in(file)


def _file_of(settings: Settings, files: NetworkFiles) -> NetworkFile | None:
    word = settings.net_file
    if word is not None and word not in files:
        raise NO_PERMISSION(net=word)
    return None if word is None else files[word]


def own_net(file: NetworkFile, seed: int) -> nn.Module:
    """Run the file and return the network. ``file.name`` is a module, its class, or a function.

    A class or function is called without arguments under a random state derived from ``seed``, so that the
    same seed always gives the same initial weights.

    Raises:
        TreinoError: the file raises, has no such name, or the name isn't such an object.
    """
    value = _network_in(file)
    return value if isinstance(value, nn.Module) else construct_module(value, seed)


def _network_in(file: NetworkFile) -> nn.Module | Callable[[], nn.Module]:
    value = value_in(file)
    if not isinstance(value, nn.Module) and not callable(value):
        raise NET_FILE_KIND(name=file.name, path=file.path, kind=type(value).__name__)
    return value  # type: ignore[no-any-return]


def value_in(file: NetworkFile) -> Any:
    """Run the file and return the object with its name."""
    module = _module(file)
    if not hasattr(module, file.name):
        names = [n for n, v in vars(module).items() if isinstance(v, (nn.Module, type)) or callable(v)]
        own = [n for n in names if getattr(getattr(module, n), "__module__", None) == module.__name__]
        raise NET_FILE_NAME(name=file.name, path=file.path, hint=nearest(file.name, own or names))
    return getattr(module, file.name)


def _module(file: NetworkFile) -> ModuleType:
    """Execute the file's bytes as a module, without reading its path or a bytecode cache."""
    where = os.path.abspath(file.path)
    module = ModuleType(f"treino_net_{file.path.stem}")
    module.__file__ = where
    sys.modules[module.__name__] = module  # dataclasses and pickles inside the file look their module up
    try:
        lines = importlib.util.decode_source(file.source).splitlines(keepends=True)
        linecache.cache[where] = len(file.source), None, lines, where  # for tracebacks and inspect.getsource
        code = compile(file.source, where, "exec", dont_inherit=True)
        with _importing_from(file.siblings):
            exec(code, module.__dict__)
    except (Exception, SystemExit) as error:
        raise NET_IMPORT(
            path=file.path,
            line=_line_in(error, where),
            kind=type(error).__name__,
            error=error,
            hint=_("Run it alone first: python {path}").format(path=file.path)
            if file.siblings is not None
            else _("This copy stands alone: where it imports files from beside it, give yours with [[net]]."),
        ) from error
    return module


@contextmanager
def _importing_from(folder: Path | None) -> Iterator[None]:
    if folder is None:
        yield
        return
    place = str(folder)
    sys.path.insert(0, place)
    try:
        yield
    finally:
        sys.path.remove(place)


def _line_in(error: BaseException, where: str) -> int:
    if isinstance(error, SyntaxError) and error.filename == where:
        return error.lineno or 0
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == where:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line or getattr(error, "lineno", 0) or 0
