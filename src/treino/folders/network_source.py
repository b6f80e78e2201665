"""Permission to run a network's code: by the user's ``--net``, or by ``--trust`` for the copy in a folder.

A run's, sweep's or study's folder may come from somebody else and contain anything, so that code named in a
folder never runs without permission. A ``NetworkSource`` says which code may run.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.machinery import SOURCE_SUFFIXES
from pathlib import Path

from torch import nn

from treino.base.errors import Refusal, nearest
from treino.base.files import read_bytes
from treino.base.own_objects import is_kept, is_own, kept
from treino.base.words import _
from treino.folders.access import Access
from treino.folders.store import RunFolder
from treino.folders.user_network import NO_PERMISSION, NetworkFile, made, own_net, with_arguments
from treino.settings.network_call import NetworkCall
from treino.settings.network_settings import LAYERS

NET_NOT_TRUSTED = Refusal(
    "{folder} trains a network of your own, and reading a folder executes nothing.", "{hint}"
)
NET_OF_SEVERAL = Refusal(
    "{net} can't stand for {n} networks of different files or names: {words}.",
    "Use [[trust=True]], which runs the copies that lie in the folder; or name one network: SWEEP:17",
)
NET_WANTED = Refusal(
    "{run} trained a network of your own, which was given in Python.",
    "Give it again: [[net=FILE.py:NAME]]; in Python net=, or own=[...] with the classes of a sweep.",
)
NET_COPY_MISSING = Refusal(
    "{folder} holds no sealed copy {word}, and [[trust=True]] runs nothing else.", "{hint}"
)
NET_FORM = Refusal(
    "{value!r} does not name a network.", "Write [[net=FILE.py:NAME]], e.g. [[net=mynet.py:Net]]."
)
NET_FILE_MISSING = Refusal("There is no file {path}.", "{hint}")
NO_PYTHON_FILE = Refusal("{path} is not a Python file.", "Write [[net=FILE.py:NAME]].", rule="net_form")


NETWORK_COPY = "net.py"
"""A run's copy of its network's file."""

COPIES = re.compile(r"(?<![\w/])net(s/[A-Za-z0-9_-]+)?\.py\b")
"""Copies of network files: the one in a run's folder, and those in a sweep's or study's, one for each file
that its settings name."""


@dataclass(frozen=True)
class UserFiles:
    """Files named by the user: those in the user's settings; or, for a folder's settings, ``net``, which
    replaces the file that they name."""

    net: str | None = None


@dataclass(frozen=True, eq=False)
class SealedCopies:
    """Copies that were sealed with this folder. trusted: whether the user trusts it; else nothing may run."""

    folder: RunFolder
    trusted: bool


NetworkSource = UserFiles | SealedCopies


def network_source(folder: RunFolder, net: str | None, trust: bool) -> NetworkSource:
    """The source of a folder's network files that ``--net`` and ``--trust`` allow."""
    return SealedCopies(folder, trust) if net is None else UserFiles(net)


def network_files(source: NetworkSource | None, words: Iterable[str | None]) -> dict[str, NetworkFile]:
    """Read the files that ``words`` name (``FILE.py:NAME``, or None for no file), each once; nothing runs.
    Words that name the same file get the bytes read first.

    source: None: no file may run. Names of networks that were given in Python are passed over.

    Raises:
        TreinoError: a file is missing or malformed, isn't a sealed copy, or may not run.
    """
    wanted = list(dict.fromkeys(word for word in words if word is not None and not is_own(word)))
    if not wanted:
        return {}
    if source is None:
        raise NO_PERMISSION(net=wanted[0])
    if isinstance(source, SealedCopies):
        if not source.trusted:
            raise NET_NOT_TRUSTED(folder=source.folder.path.name, hint=_next_move(source.folder, wanted))
        of, files = source.folder, {word: word.rpartition(":")[0] for word in wanted}
        return {w: copied_file(of, file, sealed_copy(of, w, wanted)[0]) for w, file in files.items()}
    if source.net is not None:
        if len(wanted) > 1:
            raise NET_OF_SEVERAL(net=source.net, n=len(wanted), words=", ".join(wanted))
        return {wanted[0]: _user_file(source.net)}
    user_files, sources = {word: _user_file(word) for word in wanted}, dict[Path, bytes]()
    return {w: replace(f, source=sources.setdefault(f.path, f.source)) for w, f in user_files.items()}


def run_network(
    folder: RunFolder, kind: str, word: str | None, access: Access, seed: int
) -> nn.Module | None:
    """Make the user's network that a run trained again; return None if the run trained treino's own layers.

    kind: the network's kind in ``spec.json``: ``mlp``, ``cnn``, ``file`` or ``given``. word: what its setting
    ``net`` holds.

    Raises:
        TreinoError: its code may not run, or it was given in Python and is not given again.
    """
    net = access.net
    if isinstance(net, nn.Module):
        return net
    if kind in LAYERS and net is None:
        return None
    call = NetworkCall.read(word or "")
    if net is None and is_kept(call.of):
        net = kept(call.of)
    if callable(net):
        return made(with_arguments(net, call.arguments), seed)
    file = net if word is None or is_own(call.of) else call.of
    if file is None:
        raise NET_WANTED(run=folder.path.name)
    files = network_files(network_source(folder, net, access.trust), [file])
    return own_net(files[file].given(call.arguments), seed)


def sealed_copy(folder: RunFolder, word: str, words: Collection[str] = ()) -> tuple[str, bytes]:
    """The network's name in ``word``, and the bytes of the sealed copy that defines it; nothing runs.

    words: all requested words, for the hint of an error.

    Raises:
        TreinoError: ``word`` doesn't name a file that was sealed with the folder, or the file is a link.
    """
    file, _colon, name = word.rpartition(":")
    if not _is_copy(folder, word):
        raise NET_COPY_MISSING(folder=folder.path.name, word=word, hint=_next_move(folder, words or [word]))
    return name, folder.read_bytes(file)


def copied_file(folder: RunFolder, path: str, name: str) -> NetworkFile:
    """The sealed copy of a file in a folder that the user trusts, and the name in it; nothing runs."""
    return NetworkFile(folder.path / path, name, folder.read_bytes(path), siblings=None)


def copy_words(files: Mapping[str, NetworkFile]) -> dict[str, str]:
    """``{word: word of its copy in a sweep's or study's folder}``, one copy for each file, such as
    ``{"models/wide.py:Net": "nets/wide.py:Net"}``."""
    copies: dict[str, str] = {}
    for word, file in files.items():
        path, stem = word.rpartition(":")[0], re.sub(r"[^A-Za-z0-9_-]", "_", file.path.stem)
        number, name = 1, f"nets/{stem}.py"
        while path not in copies and name.lower() in map(str.lower, copies.values()):
            number += 1
            name = f"nets/{stem}-{number}.py"
        copies.setdefault(path, name)
    return {word: f"{copies[word.rpartition(':')[0]]}:{file.name}" for word, file in files.items()}


def write_copies(folder: RunFolder, files: Mapping[str, NetworkFile]) -> None:
    """Write a copy of each file to the folder. files: the files, by the words of their copies."""
    contents = {word.rpartition(":")[0]: file.source for word, file in files.items()}
    for name, source in contents.items():
        folder.write_bytes(name, source)


def _is_copy(folder: RunFolder, word: str) -> bool:
    file, _colon, name = word.rpartition(":")
    fits = COPIES.fullmatch(file) is not None and (file == NETWORK_COPY) == (folder.kind == "run")
    return fits and name.isidentifier() and file in folder.manifest.files


def _user_file(word: str) -> NetworkFile:
    call = NetworkCall.read(word)
    path_text, _colon, name = call.of.rpartition(":")
    path = Path(path_text)
    if not path_text or not name.isidentifier():
        raise NET_FORM(value=word)
    if not path.is_file():
        beside = [p.name for p in path.parent.glob("*.py")] if path.parent.is_dir() else []
        hint = nearest(path.name, beside) if beside else _("Write the path from the working directory.")
        raise NET_FILE_MISSING(path=path, hint=hint)
    if path.suffix not in SOURCE_SUFFIXES:
        raise NO_PYTHON_FILE(path=path)
    return NetworkFile(path, name, read_bytes(path), path.parent.resolve(), call.arguments)


def _next_move(folder: RunFolder, words: Collection[str]) -> str:
    """A hint for networks whose code may not run."""
    if not all(_is_copy(folder, word) for word in words):
        return _("Give the network's file again: [[net=FILE.py:NAME]]")
    if len(words) > 1:
        return _("Add [[trust=True]] if you trust {path}.").format(path=folder.path)
    return _("Add [[trust=True]] if you trust {path}, or give your own with [[net=FILE.py:NAME]].").format(
        path=folder.path
    )
