"""Permission to run a network's code: by the user's ``--net``, or by ``--trust`` for the copy in a folder.

A run's, sweep's or study's folder may come from somebody else, who can write in it what they like. So what a
folder names is never run because it stands there. Three sources of a network's file are told apart:

- ``UserFiles``: the user named the file, with ``--net`` or ``net=``.
- ``SealedCopies``: the user trusts the folder (``--trust``), and the copy that was sealed with it runs.
- ``NoFiles``: neither, and nothing runs.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.machinery import SOURCE_SUFFIXES
from pathlib import Path
from typing import TYPE_CHECKING

from torch import nn

from treino.errors import TreinoError, nearest
from treino.records.user_network import NetworkFile, no_permission, own_net
from treino.store import RunFolder
from treino.store.files import read_bytes
from treino.words import _

if TYPE_CHECKING:
    from torch import nn


# ---- what a reader gives so that the rows and the network that a folder names can be had again


@dataclass(frozen=True, eq=False)
class Access:
    """net: the network of the user's own that was trained, or its FILE.py:NAME. trust: the copies of network
    files that were sealed with the folder may run. data_file: where the data's file is now."""

    net: "nn.Module | str | None" = None
    trust: bool = False
    data_file: str | Path | None = None

    def with_network(self, net: "nn.Module | str | None", trust: bool = False) -> "Access":
        """The same with this network in the place of its own, where there is one, or with more trust."""
        return replace(self, net=self.net if net is None else net, trust=self.trust or trust)

    @property
    def net_file(self) -> str | None:
        """The network's FILE.py:NAME, where it was named so."""
        return self.net if isinstance(self.net, str) else None


# ---- permission to run a network's code

NETWORK_COPY = "net.py"
"""A run's copy of its network's file."""

_COPIES = re.compile(r"nets/[A-Za-z0-9_-]+\.py")
"""Those of a sweep or study, one for each file that its settings name."""


@dataclass(frozen=True)
class UserFiles:
    """The files that the settings name, which are the user's own words; or ``net``, where the settings are a
    folder's and the user named a file in place of theirs."""

    net: str | None = None


@dataclass(frozen=True, eq=False)
class SealedCopies:
    """The copies that were sealed with this folder, which the user trusts."""

    folder: RunFolder


@dataclass(frozen=True, eq=False)
class NoFiles:
    """Nothing may run: this folder was neither trusted, nor was a file named in place of its own."""

    folder: RunFolder


NetworkSource = UserFiles | SealedCopies | NoFiles


def network_source(folder: RunFolder, net: str | None, trust: bool) -> NetworkSource:
    """What the user's words, ``--net`` and ``--trust``, allow to run of a folder's networks."""
    if net is not None:
        return UserFiles(net)
    return SealedCopies(folder) if trust else NoFiles(folder)


def network_files(source: NetworkSource | None, words: Iterable[str | None]) -> dict[str, NetworkFile]:
    """Read the files that ``words`` name (``FILE.py:NAME``, or None for no file), each once; nothing runs.

    source: None where nobody said of any file that it may run.

    Raises:
        TreinoError: a file is missing or malformed, is no sealed copy, or may not run.
    """
    wanted = list(dict.fromkeys(word for word in words if word is not None))
    if not wanted:
        return {}
    if source is None:
        raise no_permission(wanted[0])
    if isinstance(source, NoFiles):
        raise TreinoError(
            "net_not_trusted",
            _("{folder} trains a network of your own, and reading a folder executes nothing.").format(
                folder=source.folder.path.name
            ),
            _next_move(source.folder, wanted),
        )
    if isinstance(source, SealedCopies):
        return {word: _sealed(source.folder, word, wanted) for word in wanted}
    if source.net is None:
        return _user_files(wanted)
    if len(wanted) > 1:
        raise TreinoError(
            "net_of_several",
            _("{net} can't stand for {n} networks of different files or names: {words}.").format(
                net=source.net, n=len(wanted), words=", ".join(wanted)
            ),
            _(
                "Use [[trust=True]], which runs the copies that lie in the folder; "
                "or name one network: SWEEP:17"
            ),
        )
    return {wanted[0]: _user_file(source.net)}


def run_network(
    folder: RunFolder, kind: str, word: str | None, access: Access, seed: int
) -> nn.Module | None:
    """The network of the user's own that a run trained, made anew; None where it trained treino's own layers.

    kind: what ``spec.json`` says of its network, ``mlp``, ``file`` or ``given``. word: its file, where it is
    one.

    Raises:
        TreinoError: nobody said that it may run, or it was given in Python and is not given again.
    """
    net = access.net
    if isinstance(net, nn.Module):
        return net
    if kind == "mlp" and net is None:
        return None
    if word is None:
        word = net
    if word is None:
        raise TreinoError(
            "net_wanted",
            _("{run} trained a network of your own, which was given in Python.").format(run=folder.path.name),
            _("Give it again: [[net=FILE.py:NAME]], or net= in Python."),
        )
    return own_net(network_files(network_source(folder, net, access.trust), [word])[word], seed)


def sealed_copy(folder: RunFolder, word: str, words: Collection[str] = ()) -> tuple[str, bytes]:
    """The name of the network that ``word`` names, and the bytes of the copy that makes it; nothing runs.

    words: all that are wanted of the folder, for what to do where there is no copy.

    Raises:
        TreinoError: ``word`` names something else than a file that was sealed with the folder; it is a link.
    """
    file, _colon, name = word.rpartition(":")
    if not _is_copy(folder, word):
        raise TreinoError(
            "net_copy_missing",
            _("{folder} holds no sealed copy {word}, and [[trust=True]] runs nothing else.").format(
                folder=folder.path.name, word=word
            ),
            _next_move(folder, words or [word]),
        )
    return name, folder.read_bytes(file)


def copy_words(files: Mapping[str, NetworkFile]) -> dict[str, str]:
    """The words that name the same networks by their copies in a sweep's or study's folder, one copy for each
    file: ``models/wide.py:Net`` -> ``nets/wide.py:Net``."""
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
    """Keep the bytes of each file in the folder. files: by the words of ``copy_words``."""
    contents = {word.rpartition(":")[0]: file.source for word, file in files.items()}
    for name, source in contents.items():
        folder.write_bytes(name, source)


def _sealed(folder: RunFolder, word: str, words: Collection[str]) -> NetworkFile:
    name, source = sealed_copy(folder, word, words)
    return NetworkFile(folder.path / word.rpartition(":")[0], name, source, siblings=None)


def _is_copy(folder: RunFolder, word: str) -> bool:
    file, _colon, name = word.rpartition(":")
    fits = file == NETWORK_COPY if folder.kind == "run" else _COPIES.fullmatch(file) is not None
    return fits and name.isidentifier() and file in folder.manifest.files


def _user_files(words: Iterable[str]) -> dict[str, NetworkFile]:
    """The files by these words; of a file that two of them name, the first bytes count."""
    files_of: dict[str, NetworkFile] = {}
    sources: dict[Path, bytes] = {}
    for word in words:
        file = _user_file(word)
        files_of[word] = replace(file, source=sources.setdefault(file.path, file.source))
    return files_of


def _user_file(word: str) -> NetworkFile:
    path_text, _colon, name = word.rpartition(":")
    path = Path(path_text)
    if not path_text or not name.isidentifier():
        raise TreinoError(
            "net_form",
            _("{value!r} does not name a network.").format(value=word),
            _("Write [[net=FILE.py:NAME]], e.g. [[net=mynet.py:Net]]."),
        )
    if not path.is_file():
        beside = [p.name for p in path.parent.glob("*.py")] if path.parent.is_dir() else []
        hint = nearest(path.name, beside) if beside else _("Write the path from the working directory.")
        raise TreinoError("net_file_missing", _("There is no file {path}.").format(path=path), hint)
    if path.suffix not in SOURCE_SUFFIXES:
        raise TreinoError(
            "net_form", _("{path} is not a Python file.").format(path=path), _("Write [[net=FILE.py:NAME]].")
        )
    return NetworkFile(path, name, read_bytes(path), path.parent.resolve())


def _next_move(folder: RunFolder, words: Collection[str]) -> str:
    """What to do where the code of these networks may not run."""
    if all(_is_copy(folder, word) for word in words):
        if len(words) > 1:
            return _("Add [[trust=True]] if you trust {path}.").format(path=folder.path)
        return _(
            "Add [[trust=True]] if you trust {path}, or give your own with [[net=FILE.py:NAME]]."
        ).format(path=folder.path)
    if len(words) > 1:
        return _("It holds no copies of their files: train it anew.")
    return _("Give the network's file again: [[net=FILE.py:NAME]]")
