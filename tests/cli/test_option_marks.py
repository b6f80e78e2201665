"""What a ``treino.toml`` that nobody named may set: by the mark that each option of each verb bears."""

import importlib.metadata
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pytest
import tomli_w
from cyclopts import Parameter
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Treino
from tests.outside import names_of
from treino.base import apps
from treino.base.errors import TreinoError
from treino.base.option_marks import PLAIN, WORDS, mark_in
from treino.cli.app import all_verbs, make_app
from treino.cli.configuration import _form, _names, options
from treino.cli.flags import ScreenFlag
from treino.settings.options import ClusterOptions, StudyOptions, SweepOptions
from treino.settings.setting_types import marks_of
from treino.settings.spec import MARKS, Settings, is_plain_row
from treino_doctor import command

CYCLOPTS = [verb for verb in all_verbs() if verb != "doctor"]  # the doctor has a parser of its own
EVIL = """open("ran", "w").close()
import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(13, 3)
    def forward(self, x):
        return self.layer(x)
def focal(output, target):
    return torch.nn.functional.cross_entropy(output, target)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with files that lie in wait, beside one that nothing may touch."""
    inner, outside = tmp_path / "in", tmp_path / "outside"
    inner.mkdir()
    outside.mkdir()
    (outside / "secret.csv").write_text("a,b\n1,2\n")
    (inner / "evil.py").write_text(EVIL)
    (inner / "lesson-sum.py").write_text(EVIL)
    (inner / "space.toml").write_text('net = ["evil.py:Net"]\n')
    (inner / "losses.toml").write_text('loss = ["mse", "evil.py:focal"]\n')
    monkeypatch.chdir(inner)
    yield inner
    assert not (inner / "ran").exists()
    assert [path.name for path in outside.iterdir()] == ["secret.csv"]


# ---- the walker


@pytest.mark.parametrize("verb", CYCLOPTS)
def test_every_option_of_every_verb_bears_a_mark(verb: str) -> None:
    """Of the core, of apps and of plug-ins: whoever adds an option says what it may reach, or that it reaches
    nothing."""
    arguments = make_app([verb])[verb].assemble_argument_collection()
    unmarked = [a.name for a in arguments if a.parse and mark_in(a.field_info.annotation) is None]
    assert not unmarked, (verb, unmarked)


def test_every_setting_and_every_flag_of_the_doctor_bears_a_mark() -> None:
    for table in (Settings, SweepOptions, StudyOptions, ClusterOptions):
        assert [name for name, mark in marks_of(table).items() if mark is None] == []
    assert {reach for *_row, reaches, _about in command.FLAGS for reach in reaches.split()} <= {*WORDS}


@pytest.mark.parametrize("verb", CYCLOPTS)
def test_an_option_that_reaches_something_is_left_to_files_that_are_named(verb: str) -> None:
    arguments = _names(make_app([verb])[verb].assemble_argument_collection())
    forms = {name: _form(argument) for name, argument in arguments.items()}
    for name, form in forms.items():
        for value in ("evil.py:Net", "../outside/secret.csv"):
            Path("treino.toml").write_text(tomli_w.dumps({verb: {name: value}}))
            if form.mark.of([value]):
                with pytest.raises(TreinoError, match="only a file that you name"):
                    list(options(verb, all_verbs(), None, forms))
            else:
                assert [each.texts for each in options(verb, all_verbs(), None, forms)] == [[value]]
            assert [each.name for each in options(verb, all_verbs(), Path("treino.toml"), forms)] == [name]


def test_an_option_of_a_plug_in_that_bears_no_mark_counts_as_reaching_everything(
    treino: Treino, monkeypatch: pytest.MonkeyPatch
) -> None:
    def extra(
        *,
        go: Annotated[bool, Parameter(help="it may do anything")] = False,
        size: Annotated[int, Parameter(help="a number"), PLAIN] = 1,
        screen: ScreenFlag,
    ) -> int:
        """Do more."""
        screen.document({"go": go, "size": size})
        return 0

    class Entry(importlib.metadata.EntryPoint):
        def load(self) -> object:
            return extra

    entries = apps.entries("treino.verbs") | {"extra": Entry("extra", "treino.extra:extra", "treino.verbs")}
    monkeypatch.setattr(apps, "entries", lambda group: entries)
    monkeypatch.setattr("treino.cli.app.entries", lambda group: entries)
    Path("treino.toml").write_text("[extra]\nsize = 3\n")
    assert treino("extra", "--json").document == {"go": False, "size": 3}
    Path("treino.toml").write_text("[extra]\ngo = true\n")
    assert treino("extra", "--json").document["error"]["rule"] == "config_unnamed"
    assert treino("extra", "--json", "--config", "treino.toml").document["go"] is True


# ---- what lies in wait

IN_WAIT = [
    ('[doctor]\nmodule = "evil"\n', "doctor"),
    ('doctor.module = "evil"\n', "doctor"),
    ('"doctor"."module" = "evil"\n', "doctor"),
    ('[doctor]\nknown = "../outside/known.json"\n', "doctor evil.py"),
    ('[doctor]\nsarif = "../outside/a.sarif"\n', "doctor evil.py"),
    ('[doctor]\njunit = "../outside/a.xml"\n', "doctor evil.py"),
    ("[doctor]\nreplace = true\n", "doctor evil.py"),
    ('[sweep]\nspace = ["space.toml"]\n', "sweep wine --members 2 --epochs 1"),
    ('[sweep]\nspace = "losses.toml"\n', "sweep wine --members 2 --epochs 1"),
    ('[sweep]\nspace = ["lr=0.1|0.2", "loss=cross_entropy|evil.py:focal"]\n', "sweep wine"),
    ('[sweep.space]\nnet = ["mlp", "evil.py:Net"]\n', "sweep wine"),
    ('[sweep]\nspace.loss = "evil.py:focal"\n', "sweep wine"),
    ('[sweep]\nstorage = "sqlite:///../outside/s.db"\n', "sweep wine --sampler tpe"),
    ('[train]\nnet = "evil.py/:Net"\n', "train wine"),
    ('[train]\nnet = "evil.py/.:Net"\n', "train wine"),
    ('[train]\nnet = "./evil.py:Net(a=1)"\n', "train wine"),
    ('[train]\nloss = "evil.py/:focal"\n', "train wine"),
    ('[train]\nmetric = "../in/evil.py:focal"\n', "train wine"),
    ('[study]\ncell = ["batch_size=5,net=evil.py:Net"]\n', "study wine --epochs 1"),
    ('[study]\ncell = "net=mlp,evil.py:Net"\n', "study wine --epochs 1"),
    ('[study]\ncell = ["--net=evil.py:Net"]\n', "study wine --epochs 1"),
    ('[study]\noptimizer = ["adam", "evil.py:focal"]\n', "study wine --epochs 1"),
    ('[lessons]\n"name|file.py" = "lesson-sum.py"\n', "lessons"),
    ('[kata]\n"name|file.py" = "evil.py"\n', "kata"),
    ('[train]\nout = "../outside/run"\n', "train wine --epochs 1"),
    ('[train]\nout = "here"\n', "train wine --epochs 1"),
    ('[train]\nto = "../outside/o.csv"\nfolds = 2\n', "train wine --epochs 1"),
    ('[train]\nvalidation = "../outside/secret.csv"\n', "train wine"),
    ('[train]\ndata = "../outside/secret.csv"\n', "train --target b"),
    ('[train]\nsender = "agent"\n', "train --branch last:1"),
    ('[train]\ntrack = "mlflow"\n', "train wine"),
    ('[train]\non = "ray://example.org:1"\n', "train wine --seeds 2"),
    ('[train]\nalert = ["loss < 1: post http://example.org"]\nallow_network = true\n', "train wine"),
    ('[data]\nto = "../outside/page.html"\n', "data wine"),
    ('[data]\nlike = "../outside/run"\n', "data wine"),
    ('[predict]\ncopy_to = "../outside/pictures"\n', "predict last wine"),
    ('[plot]\nto = "../outside/pictures"\n', "plot last"),
    ('[report]\nto = "../outside/report.html"\n', "report"),
    ('[explain]\nto = "../outside/adam.html"\n', "explain adam"),
    ('[playground]\nto = "../outside/p.html"\n', "playground --no-browser"),
    ('[serve]\nhost = "0.0.0.0"\n', "serve last"),
    ("[studio]\nport = 80\n", "studio wine --no-browser"),
    ('[studio]\nhost = "0.0.0.0"\n', "studio wine --no-browser"),
    ('[mcp]\nfolder = ".."\n', "mcp"),
    ("[mcp]\ntrust = true\n", "mcp"),
    ('[judge]\ntrials = "../outside/secret.csv"\n', "judge"),
]


@pytest.mark.parametrize(("text", "words"), IN_WAIT)
def test_a_file_that_merely_lies_there_reaches_nothing(treino: Treino, text: str, words: str) -> None:
    Path("treino.toml").write_text(text)
    before = {*os.listdir()}
    said = treino(*words.split(), "--json")
    assert said.status == 2
    error = said.document["error"]
    assert error["rule"] == "config_unnamed", error
    assert error["message"].startswith("treino.toml, line ")
    assert "--config treino.toml" in error["hint"]
    assert {*os.listdir()} == before


PLAIN_USES = """
[train]
data = "wine"
lr = 0.1
optimizer = "adam"
loss = "cross_entropy"
net = "mlp"
hidden = [8]
validation = 0.2
epochs = 1
kinds = {alcohol = "number"}
metric = "accuracy"
"""


def test_plain_settings_need_no_name_of_the_file(treino: Treino) -> None:
    Path("treino.toml").write_text(PLAIN_USES)
    settings = treino("train", "--json").document["settings"]
    assert (settings["lr"], settings["hidden"], settings["validation"]) == (0.1, [8], 0.2)


def test_the_doctor_says_what_the_file_sets(treino: Treino) -> None:
    Path("quiet.py").write_text("import torch\n")
    Path("treino.toml").write_text("[doctor]\nmax-steps = 3\n")
    said = treino("doctor", "quiet.py")
    assert "treino.toml sets max_steps" in said.err + said.out


@pytest.mark.parametrize("name", [name for name, mark in MARKS.items() if mark is not None and mark.reach])
@given(text=st.text(max_size=12), before=st.sampled_from(["", " ", "--", " --"]))
def test_a_row_with_a_setting_that_names_code_or_a_file_is_not_plain(
    name: str, text: str, before: str
) -> None:
    assert not is_plain_row(f"lr=0.1,{before}{name}={text}x:y")
    assert not is_plain_row(f"{name}=0.1|{text}x:y")


def test_names_of_files_are_not_plain(tmp_path: Path) -> None:
    for name in names_of(tmp_path / "outside/secret.csv"):
        assert not is_plain_row(f"validation={name}")
        assert not is_plain_row(str(name))
