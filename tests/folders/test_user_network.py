"""The code of a user's network: only the checked bytes run, and nothing from beside a copy."""

import importlib.util
import inspect
import marshal
import os
import re
import sys
import traceback
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import treino as tr
from tests.conftest import refusal_of
from tests.quick_ends import _quick_ends  # noqa: F401
from treino.base.errors import TreinoError
from treino.folders.access import Access
from treino.folders.network_source import (
    SealedCopies,
    UserFiles,
    copy_words,
    network_files,
    network_source,
    run_network,
    sealed_copy,
)
from treino.folders.store import RunFolder
from treino.folders.user_network import NetworkFile, network_of, own_net
from treino.settings.spec import read_settings
from treino.training.train import train_events

SRC = Path(__file__).parents[2] / "src/treino"
NET = "from torch import nn\n\n\ndef Net():\n    return nn.Linear(4, 3)\n"


def folder(path: Path, files: dict[str, str], kind: str = "run") -> RunFolder:
    """A sealed folder that holds these files."""
    with RunFolder.create(out=path, kind=kind) as made:
        for name, content in files.items():
            made.write_bytes(name, content.encode())
        made.seal("finished")
    return RunFolder.open(path)


def marking(marker: Path) -> str:
    """A network's file that leaves a mark where it runs."""
    return f"import pathlib\npathlib.Path({str(marker)!r}).touch()\n{NET}"


# ---- who may say that code runs


NO_COPIES = [
    *("{out}:Net", "../evil.py:Net", "evil.py:Net", "./net.py:Net", "x/../net.py:Net", "net.py//:Net"),
    *("nets/../net.py:Net", "NET.py:Net", "net.py", "net.py:", ":Net", "", "net.py:a.b", "net.py:1"),
    *("net.py:Net\nimport os", "net.py:Net;x", "net.py\n:Net", "nets/x/y.py:Net", "nets/x.py\n:Net"),
    *("nets/.py:Net", "nets/..py:Net", "exports/net.py:Net", "pictures/net.py:Net", "manifest.json:Net"),
]


@pytest.mark.parametrize("kind", ["run", "sweep", "study"])
def test_trust_is_of_the_sealed_copies_alone(kind: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    (tmp_path / "evil.py").write_text(marking(marker))
    files = dict.fromkeys(("evil.py", "x/y.py", "nets/x/y.py"), marking(marker))
    own = "net.py" if kind == "run" else "nets/net.py"
    made = folder(tmp_path / "it", files | {own: NET}, kind)
    for unlisted in ("exports", "pictures"):
        made.write_bytes(f"{unlisted}/net.py", marking(marker).encode())
    for word in NO_COPIES:
        refused = refusal_of(network_files, SealedCopies(made, True), [word.format(out=tmp_path / "evil.py")])
        assert refused.rule == "net_copy_missing", word
        assert "FILE.py:NAME" in refused.hint
    good = f"{own}:Net"
    assert isinstance(own_net(network_files(SealedCopies(made, True), [good])[good], 0), nn.Linear)
    assert not marker.exists()


def test_no_other_word_is_a_copy(tmp_path: Path) -> None:
    made = folder(tmp_path / "it", {"net.py": NET, "nets/a.py": NET})

    @given(word=st.text() | st.from_regex(r"(net|nets/\w+|\.\./x|/x)\.py:\w+"))
    def holds(word: str) -> None:
        file, _colon, name = word.rpartition(":")
        if file == "net.py" and name.isidentifier():
            assert sealed_copy(made, word) == (name, NET.encode())
        else:
            assert "holds no sealed copy" in str(refusal_of(sealed_copy, made, word))

    holds()


def test_a_copy_is_whole_listed_and_no_link(tmp_path: Path) -> None:
    marker, word = tmp_path / "marker", "net.py:Net"
    (tmp_path / "evil.py").write_text(marking(marker))
    bare = folder(tmp_path / "bare", {})
    (bare.path / "net.py").write_text(marking(marker))  # put there afterwards
    flipped = folder(tmp_path / "flipped", {"net.py": NET})
    (flipped.path / "net.py").write_text(NET.replace("4", "5"))
    linked = folder(tmp_path / "linked", {"net.py": marking(marker)})
    (linked.path / "net.py").unlink()
    os.symlink(tmp_path / "evil.py", linked.path / "net.py")  # the same bytes, and its digest fits
    for made in (bare, flipped, linked):
        with pytest.raises(TreinoError):
            network_files(SealedCopies(made, True), [word])
    assert not marker.exists()


def test_a_file_runs_on_the_users_word_alone(tmp_path: Path) -> None:
    own, marker = tmp_path / "own.py", tmp_path / "marker"
    own.write_text(marking(marker))
    word = f"{own}:Net"
    settings = read_settings({"net": word, "steps": 1, "out": str(tmp_path / "run")})
    made = folder(tmp_path / "it", {"net.py": marking(marker)})
    bare = folder(tmp_path / "bare", {}, "sweep")
    refused = {
        "said that its code may run": lambda: network_files(None, [word]),
        "nobody said that its code": lambda: next(train_events("iris", settings)),
        "net.py": lambda: network_of(read_settings({"net": "net.py:Net"}), {}),
        "trust .*it, or give your own": lambda: network_files(SealedCopies(made, False), ["net.py:Net"]),
        "executes nothing": lambda: network_files(SealedCopies(bare, False), [word]),
        "no sealed copy.*Give the network's file again": lambda: network_files(
            SealedCopies(bare, True), [word]
        ),
        "can't stand for 2 networks": lambda: network_files(UserFiles(word), ["nets/a.py:A", "nets/b.py:B"]),
        "given in Python": lambda: run_network(made, "given", None, Access(trust=True), 0),
    }
    for why, call in refused.items():
        with pytest.raises(TreinoError, match=f"(?s){why}"):
            call()
    assert not marker.exists()
    assert run_network(made, "mlp", None, Access(trust=True), 0) is None
    assert network_files(SealedCopies(made, False), [None, None]) == {}
    assert isinstance(network_source(made, word, trust=True), UserFiles)
    net = own_net(network_files(UserFiles(word), ["net.py:Net"])["net.py:Net"], 0)
    assert (isinstance(net, nn.Linear), marker.exists()) == (True, True)


# ---- which bytes run


def test_what_ran_is_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = NET + "\nopen(__file__, 'w').close()  # somebody saves another version meanwhile\n"
    Path("own.py").write_text(text)
    run = tr.fit("iris", "own.py:Net", steps=1, lean=True, out="run")
    assert Path("own.py").read_text() == ""
    assert run.folder.read_bytes("net.py").decode() == text
    Path("two.py").write_text(NET.replace("Net", "A") + NET.replace("Net", "B"))
    files = network_files(UserFiles(), ["two.py:A", "two.py:B"])
    assert files["two.py:A"].source is files["two.py:B"].source


def test_nothing_beside_a_copy_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cache of bytecode, which fits to what it says of itself, and no module of the folder."""
    marker, word = tmp_path / "marker", "net.py:Net"
    made = folder(tmp_path / "it", {"net.py": NET, "helper.py": marking(marker)})
    (tmp_path / "evil.py").write_text(marking(marker))
    code = compile(marking(marker), "net.py", "exec")
    cache = Path(importlib.util.cache_from_source(str(made.path / "net.py")))
    cache.parent.mkdir()
    unchecked = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
    cache.write_bytes(unchecked + marshal.dumps(code))
    path = list(sys.path)
    assert isinstance(own_net(network_files(SealedCopies(made, True), [word])[word], 0), nn.Linear)
    user = f"{made.path / 'net.py'}:Net"
    assert isinstance(own_net(network_files(UserFiles(), [user])[user], 0), nn.Linear)
    importing = folder(
        tmp_path / "importing", {"net.py": "import helper\n" + NET, "helper.py": marking(marker)}
    )
    with pytest.raises(TreinoError, match=r"No module named 'helper'.*stands alone"):
        own_net(network_files(SealedCopies(importing, True), [word])[word], 0)
    assert (marker.exists(), sys.path) == (False, path)
    user = f"{importing.path / 'net.py'}:Net"
    own_net(network_files(UserFiles(), [user])[user], 0)  # the user's own word, and what lies beside it
    assert (marker.exists(), sys.path) == (True, path)
    del sys.modules["helper"]


def test_tracebacks_and_sources_are_of_the_bytes_that_ran(tmp_path: Path) -> None:
    text = (
        "# -*- coding: latin-1 -*-\nfrom torch import nn\n\n\nclass Net(nn.Module):\n"
        "    def forward(self, x):\n        raise RuntimeError('caf\xe9')  # line 7\n"
    )
    made = folder(tmp_path / "it", {})
    file = NetworkFile(made.path / "net.py", "Net", text.encode("latin-1"), None)
    net = own_net(file, 0)
    with pytest.raises(RuntimeError, match="caf\xe9") as raised:
        net(torch.zeros(1))
    last = traceback.extract_tb(raised.value.__traceback__)[-1]
    assert (last.lineno, last.line) == (7, "raise RuntimeError('caf\xe9')  # line 7")
    assert last.filename == str(made.path / "net.py")
    assert inspect.getsource(type(net)) == text.partition("\n\n\n")[2]
    broken = {"a = 1\nb = a +\n": 2, "\nraise SystemExit(3)\n": 2, "def f():\n    1 / 0\n\nf()\n": 2, "\0": 0}
    for text, line in broken.items():
        with pytest.raises(TreinoError, match=f"at line {line}"):
            own_net(NetworkFile(made.path / "net.py", "Net", text.encode(), None), 0)


PATHS = "a.py", "x/a.py", "./a.py", "x/A.py", "ä b.py", "é b.py", "nets/a-2.py"


@given(paths=st.lists(st.sampled_from(PATHS), unique=True))
def test_each_file_has_a_copy_of_its_own(paths: list[str]) -> None:
    files = {f"{path}:{name}": NetworkFile(Path(path), name, b"", None) for path in paths for name in "AB"}
    words = copy_words(files)
    copies = [words[f"{path}:A"].removesuffix(":A") for path in paths]
    assert len({copy.lower() for copy in copies}) == len(paths)
    assert all(re.fullmatch(r"nets/[\w-]+\.py", copy, re.ASCII) for copy in copies)
    assert [words[f"{path}:B"] for path in paths] == [f"{copy}:B" for copy in copies]


# ---- every file that can run code


WAYS: dict[str, set[str]] = {
    "exec": {"folders/user_network"},
    "own_net": {"folders/network_source", "training/sweeps/population_training"},
    "NetworkFile": {"folders/network_source"},
    "UserFiles": {  # on the user's word: where a person calls
        *(
            "api",
            "cli/study",
            "cli/sweep",
            "cli/train_events",
            "folders/network_source",
            "reports/export/script",
        ),
    },
    "SealedCopies": {"folders/network_source"},
}
"""The files that call these names; nothing calls the others of ``CALL``."""

CALL = re.compile(
    r"(?<!def )(?<![.\w])(exec|eval|__import__|own_net|NetworkFile|UserFiles|SealedCopies)\("
    r"|\b(exec_module|spec_from_file_location|runpy|pickle)(?:\.\w+)?\("
)


def test_every_way_to_a_networks_code_is_known() -> None:
    """A new call of one of these names may be a new way to run code: it is listed after a look at whose word
    it runs on."""
    found: dict[str, set[str]] = {}
    for path in SRC.rglob("*.py"):
        for call in CALL.finditer(path.read_text()):
            found.setdefault(call[1] or call[2], set()).add(path.relative_to(SRC).with_suffix("").as_posix())
    assert found == WAYS
