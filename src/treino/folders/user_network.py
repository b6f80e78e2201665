"""A network of the user's own, made by running a Python file.

Treino runs a network's code only here. Whether a file may run is decided before, in
``folders/network_source.py``: no other module makes a ``NetworkFile``.
"""

import importlib.machinery
import importlib.util
import inspect
import linecache
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from treino.base.errors import Refusal, nearest
from treino.base.own_objects import called_by, is_own, kept
from treino.base.words import _, joined
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
NET_ARGUMENT_UNKNOWN = Refusal("{net} has no argument {name}.", "{hint}", rule="net_argument")
NET_ARGUMENT_MISSING = Refusal(
    "{net} can't be made without {name}, which has no default.",
    "Give it: 'FILE.py:{net}({name}=16)', or in a space 'net.{name}=16|32'; or write a default into {net}.",
    rule="net_argument",
)
NET_IMPORT = Refusal("{path} fails to import, at line {line}: {kind}: {error}.", "{hint}")


@dataclass(frozen=True)
class NetworkFile:
    """A Python file that may run, and the name that it gives the network.

    source: the bytes that run, even if the file changes meanwhile. path: the file they were read from, for
    errors and tracebacks. siblings: the folder of files that it may import; None for a copy. arguments: those
    that the network is made with.
    """

    path: Path
    name: str
    source: bytes = field(repr=False)
    siblings: Path | None
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def given(self, arguments: Mapping[str, Any]) -> "NetworkFile":
        """The file with these arguments too; those that the user typed beside its name stay."""
        return replace(self, arguments={**arguments, **self.arguments})


Maker = nn.Module | Callable[[], nn.Module]
"""A network, or a class or function that makes one."""
NetworkFiles = Mapping[str, NetworkFile]
"""The files that may run, by their names in settings without arguments, such as ``"mynet.py:Net"``."""


def network_of(settings: Settings, files: NetworkFiles) -> nn.Module | None:
    """Make the network that ``settings.net`` names, from the settings' seed; return None if it names none.

    Raises:
        TreinoError: the network's file may not run, or fails; see ``own_net``.
    """
    maker = network_maker(settings, files)
    return None if maker is None else made(maker, settings.seed)


def as_arguments(source: Any, nets: Iterable[nn.Module | None]) -> Any:
    """The source, where whole numbers (X, y) are an argument of the network if one of these looks them up, as
    nn.Embedding does; else they are a table's numbers. nets: made only where this depends on them."""
    if are_whole(source) and any(net is not None and looks_up(net) for net in nets):
        x, *rest = source
        return ((x,), *rest)
    return source


def network_maker(settings: Settings, files: NetworkFiles) -> Maker | None:
    """The function that makes an ensemble's networks, each from its own seed; or the module given."""
    if settings.net_kind == "given":
        return with_arguments(kept(str(settings.net_file)), settings.net_arguments)
    file = file_of(settings, files)
    return None if file is None else _network_in(file)


def file_of(settings: Settings, files: NetworkFiles) -> NetworkFile | None:
    """The file of the network that ``settings.net`` names, with the arguments; None if it names no file.

    Raises:
        TreinoError: the file may not run.
    """
    if settings.net_kind != "file":
        return None
    word = str(settings.net_file)
    if word not in files:
        raise NO_PERMISSION(net=word)
    return files[word].given(settings.net_arguments)


def made(maker: Maker, seed: int) -> nn.Module:
    """The network, made under a random state derived from ``seed`` unless it is there already."""
    return maker if isinstance(maker, nn.Module) else construct_module(maker, seed)


def with_arguments(value: Any, arguments: Mapping[str, Any]) -> Maker:
    """A network's class or function with these arguments filled in.

    Raises:
        TreinoError: it has no such arguments, or others without a default.
    """
    inner = called_by(value)
    name = getattr(inner, "__name__", type(inner).__name__)
    if isinstance(value, nn.Module):
        for argument in arguments:
            hint = _("It is made already: give its class, or a function that makes it.")
            raise NET_ARGUMENT_UNKNOWN(net=name, name=argument, hint=hint)
        return value
    try:
        parameters = [*inspect.signature(value).parameters.values()]
        takes_any = any(p.kind == p.VAR_KEYWORD for p in parameters)
    except (TypeError, ValueError):  # of a class written in C
        parameters, takes_any = [], True
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    for unknown in arguments:
        if unknown not in named and not takes_any:
            hint = _("It has none.")
            if named:
                has = _("It has: {names}.").format(names=", ".join(named))
                hint = joined([nearest(unknown, named), has], " ")
            raise NET_ARGUMENT_UNKNOWN(net=name, name=unknown, hint=hint)
    for p in parameters:
        if p.name in named and p.default is p.empty and p.name not in arguments:
            raise NET_ARGUMENT_MISSING(net=name, name=p.name)
    filled = {argument: kept(v) if is_own(v) else v for argument, v in arguments.items()}
    return partial(value, **filled) if filled else value


def own_net(file: NetworkFile, seed: int) -> nn.Module:
    """Run the file and return the network. ``file.name`` is a module, its class, or a function.

    A class or function is called with the file's arguments under a random state derived from ``seed``, so
    that the same seed always gives the same initial weights.

    Raises:
        TreinoError: the file raises, has no such name, or the name isn't such an object.
    """
    return made(_network_in(file), seed)


def _network_in(file: NetworkFile) -> Maker:
    value = value_in(file)
    if not isinstance(value, nn.Module) and not callable(value):
        raise NET_FILE_KIND(name=file.name, path=file.path, kind=type(value).__name__)
    return with_arguments(value, file.arguments)


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
    places = [] if folder is None else [str(folder)]
    sys.path[:0] = places
    try:
        yield
    finally:
        for place in places:
            sys.path.remove(place)


def _line_in(error: BaseException, where: str) -> int:
    if isinstance(error, SyntaxError) and error.filename == where:
        return error.lineno or 0
    calls = traceback.walk_tb(error.__traceback__)
    lines = [line for frame, line in calls if frame.f_code.co_filename == where]
    return lines[-1] if lines else getattr(error, "lineno", 0) or 0
