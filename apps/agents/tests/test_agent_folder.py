"""What an agent may touch: nothing outside the folder, and no code without ``--trust``."""

import inspect
import os
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.forging import forge

from treino.base.errors import TreinoError
from treino.cli.app import verb_named
from treino.cli.screen import Screen
from treino.fit_events import FitRequest, fit_events
from treino.folders.network_source import UserFiles
from treino.training.loop import last_event
from treino_agents import tool_call
from treino_agents.folder import CHECKS, AgentFolder
from treino_agents.tools import NAMED, Tool, all_tools, change_flags, setting_arguments
from treino_agents.verb import VERBS

# ---- which arguments name files and runs

FREE = set(
    """
    target features kinds split_group split_time split_column fold row_weights class_pattern max_memory
    delimiter decimal encoding quote sheet activation init loss optimizer schedule metric augment fault
    device engine threshold until pool strategy sampler picture cell of coverage topic weight arguments
    action name kind candidates changes class_weights padding image_size batch_size betas header fit dates
    study score seed_column fold_column row_column settings missing skip
    """.split()  # noqa: SIM905
)
"""Arguments that are words, and no files: columns, registries' names, a new run's name (no path), …"""


@cache
def tools() -> dict[str, Tool]:
    verbs = {name: verb_named(name) for name in VERBS}
    return all_tools(verbs)


def may_be_text(schema: dict[str, Any]) -> bool:
    if "anyOf" in schema:
        return any(map(may_be_text, schema["anyOf"]))
    if schema.get("type") == "array":
        return may_be_text(schema.get("items", {}))
    return schema.get("type") not in ("integer", "number", "boolean") and "enum" not in schema


def test_each_argument_that_is_a_text_is_a_word_or_is_checked() -> None:
    """A new setting or flag that names a file must stand in ``NAMED``; this test asks for the decision."""
    arguments = [each for tool in tools().values() for each in tool.arguments]
    texts = {each.name for each in arguments if may_be_text(each.schema)}
    assert texts - NAMED.keys() - FREE == set()
    assert set(NAMED.values()) <= CHECKS.keys()


def test_no_tool_takes_what_talks_to_the_world() -> None:
    names = {each.name for tool in tools().values() for each in tool.arguments}
    assert not names & {"track", "on", "gpus_per_chunk", "storage", "lang"}


# ---- paths


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AgentFolder:
    """A folder with files, and links that lead inside and outside."""
    inside = tmp_path / "own"
    (inside / "sub/deep").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    for file in (inside / "a.csv", inside / "sub/b.csv", tmp_path / "secret/c.csv", tmp_path / "own2.csv"):
        file.write_text("x,y\n1,a\n2,b\n")
    (inside / "in.csv").symlink_to("sub/b.csv")
    (inside / "out.csv").symlink_to("../secret/c.csv")
    (inside / "around.csv").symlink_to("out.csv")
    (inside / "hole").symlink_to(tmp_path / "secret")
    (inside / "broken").symlink_to("../secret/later.csv")
    (inside / "photos").mkdir()
    (inside / "photos/cat.png").symlink_to(tmp_path / "secret/c.csv")
    monkeypatch.chdir(inside)
    return AgentFolder(Path(os.path.realpath(inside)), trust=False)


INSIDE = ["a.csv", "./a.csv", "sub/b.csv", "sub/../a.csv", "in.csv", "new/file.csv", "*.txt", "iris", "sub"]
OUTSIDE = """
    .. ../own2.csv ../secret/c.csv sub/../../secret/c.csv /etc/passwd / out.csv around.csv hole hole/c.csv
    hole/new.csv broken photos hol*/c.csv **/c.csv out* ../own2* sub/deep/../../../secret
""".split()  # noqa: SIM905


@pytest.mark.parametrize("text", INSIDE)
def test_a_path_inside_is_taken(folder: AgentFolder, text: str) -> None:
    folder.check_path(text)
    folder.check_path(str(folder.root / text))


@pytest.mark.parametrize("text", OUTSIDE)
def test_a_path_that_leads_out_is_refused(folder: AgentFolder, text: str) -> None:
    for tool, arguments in {
        "describe_data": {"data": text},
        "train": {"data": "iris", "validation": text},
        "predict": {"data": text, "run": "x"},
        "rows": {"data": "iris", "to": text},
        "explain": {"topic": "adam", "to": text},
        "sweep": {"data": "iris", "space": ["lr=0.1|0.2", text]},
        "show": {"run": text},
        "doctor": {"subject": text},
        "steer": {"action": "stop", "run": text},
    }.items():
        with pytest.raises(TreinoError) as caught:
            tools()[tool].words(arguments, folder)
        assert caught.value.rule == "path_outside", tool
        assert "leads out of" in caught.value.message
        assert caught.value.hint


@pytest.mark.parametrize("text", ["https://x.org/a.csv", "FILE:///etc/passwd", "s3://b/a.parquet"])
def test_an_address_is_refused(folder: AgentFolder, text: str) -> None:
    with pytest.raises(TreinoError) as caught:
        tools()["train"].words({"data": text}, folder)
    assert caught.value.rule == "address_refused"


@given(st.text(st.sampled_from("./ab~*[]:\0-\\é\ud800"), max_size=12))
def test_no_text_is_a_traceback_or_a_way_out(text: str) -> None:
    root = Path(os.path.realpath("."))
    try:
        AgentFolder(root, trust=False).check_path(text)
    except TreinoError:
        return
    assert Path(os.path.realpath(text)).is_relative_to(root)


@pytest.mark.parametrize("name", sorted(NAMED.keys() - {"space", "trust", "other", "out", "data_file"}))
def test_a_list_is_no_way_round_the_check_of_a_path(folder: AgentFolder, name: str) -> None:
    for tool in tools().values():
        arguments = {each.name: "iris" for each in tool.arguments if each.required} | {
            name: ["../secret/c.csv"]
        }
        if name in {each.name for each in tool.arguments}:
            with pytest.raises(TreinoError) as caught:
                tool.words(arguments, folder)
            assert caught.value.rule in ("argument_form", "no_runs"), tool.name


@pytest.mark.parametrize("value", ["", "true", 0, 1, [True], {}])
def test_trust_is_yes_or_no(folder: AgentFolder, value: Any) -> None:
    for each in (folder, AgentFolder(folder.root, trust=True)):
        with pytest.raises(TreinoError) as caught:
            tools()["train"].words({"data": "iris", "trust": value}, each)
        assert caught.value.rule == "argument_form"


# ---- runs


def train(**settings: Any) -> None:
    last_event(
        fit_events(FitRequest("a.csv", {"steps": 3, "validation": 0, "test": 0, **settings}, UserFiles()))[0]
    )


@pytest.fixture
def run(folder: AgentFolder) -> Path:
    Path("a.csv").write_text("x,y\n" + "".join(f"{n},{'ab'[n % 2]}\n" for n in range(40)))
    train(target="y", name="r")
    return Path("runs/r")


@pytest.mark.parametrize("text", ["r", "last", "runs/r", "./runs/r", "r:17"])
def test_a_run_inside_is_taken(folder: AgentFolder, run: Path, text: str) -> None:
    folder.check_run(text)


@pytest.mark.parametrize("text", ["r", "last", "runs/r"])
def test_a_run_that_is_a_link_to_the_outside_is_refused(folder: AgentFolder, run: Path, text: str) -> None:
    run.rename("../elsewhere")
    run.symlink_to("../../elsewhere")
    with pytest.raises(TreinoError, match="leads out"):
        folder.check_run(text)


@pytest.mark.parametrize("part", ["", "spec.json", "run.sqlite"])
def test_what_leads_out_is_left_out_of_lists_and_the_rest_is_shown(
    folder: AgentFolder, run: Path, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(Screen, "document", lambda _screen, document: told.append(document))

    def document(**arguments: Any) -> Any:
        words = tools()["show"].words(arguments, folder)
        tool_call.run([word for word in words if word != "--json"], Screen(as_json=True))
        return told.pop()

    assert "notes" not in document()
    train(target="y", name="newest")
    away = Path("runs/newest") / part
    away.rename("../elsewhere")
    away.symlink_to(os.path.relpath("../elsewhere", away.parent))
    Path("runs/hole").symlink_to("../../secret")
    Path("runs/later").symlink_to("/etc/there-is-none")
    shown = document()
    assert [row["run"] for row in shown["runs"]] == ["r"]
    assert [note.split()[0] for note in shown["notes"]] == ["runs/hole", "runs/later", "runs/newest"]
    assert all("leads out of" in note for note in shown["notes"])
    assert document(run="last")["run"] == "r"
    assert tools()["show"].words({"picture": ["curves"]}, folder)[-1] == "last"
    for name in ("newest", "hole"):
        for arguments in ({"run": name}, {"run": name, "picture": ["curves"]}, {"run": "r", "other": name}):
            with pytest.raises(TreinoError, match="leads out"):
                tools()["show"].words(arguments, folder)
    with pytest.raises(TreinoError) as caught:
        folder.check_run("newer")
    assert "newest" not in caught.value.hint
    (folder.root / "runs").rename("../all")
    Path("runs").symlink_to("../all")
    for tool in ("show", "train"):
        with pytest.raises(TreinoError, match="leads out"):
            tools()[tool].words({"data": "iris"} if tool == "train" else {}, folder)


@pytest.mark.parametrize("source", ["../../../secret/c.csv", "/etc/passwd", "../../out.csv"])
def test_a_run_whose_record_names_data_outside_is_refused(
    folder: AgentFolder, run: Path, source: str
) -> None:
    def edit(spec: Any) -> Any:
        return spec | {"data": spec["data"] | {"source": source}}

    forge(run, "spec.json", edit)
    for check in (folder.check_run, folder.check_data):
        with pytest.raises(TreinoError, match="leads out"):
            check("r")


# ---- code


def test_code_is_run_only_with_trust(folder: AgentFolder) -> None:
    Path("net.py").write_text("")
    trusted = AgentFolder(folder.root, trust=True)
    for tool, arguments in (
        ("train", {"data": "iris", "net": "net.py:Net"}),
        ("train", {"like": "r", "trust": True}),
        ("doctor", {"subject": "net.py"}),
        ("doctor", {"subject": "missing.py"}),
        ("sweep", {"data": "iris", "net": "net.py:Net"}),
    ):
        with pytest.raises(TreinoError) as caught:
            tools()[tool].words(arguments, folder)
        assert caught.value.rule in ("trust_missing", "no_runs")
        if "like" not in arguments:
            assert caught.value.rule == "trust_missing"
            tools()[tool].words(arguments, trusted)
    assert "--net=cnn" in tools()["train"].words({"data": "mnist", "net": "cnn"}, folder)
    with pytest.raises(TreinoError, match="leads out"):
        tools()["train"].words({"data": "iris", "net": "../net.py:Net"}, trusted)
    with pytest.raises(TreinoError, match="leads out"):
        tools()["doctor"].words({"subject": "../train.py"}, trusted)


def test_code_and_files_in_a_space_are_checked_like_settings(folder: AgentFolder) -> None:
    """Also those of a file that holds the space: an agent may have written it."""
    Path("net.py").write_text("")
    Path("code.toml").write_text('net = ["mlp", "net.py:Net"]')
    Path("away.toml").write_text('net = "mlp|../net.py:Net"')
    Path("rates.toml").write_text('lr = "1e-4..1e-1:log"')
    trusted = AgentFolder(folder.root, trust=True)
    for space, rule in (
        (["net=net.py:Net"], "trust_missing"),
        (["lr=1|2", "net = mlp|net.py:Net"], "trust_missing"),
        ("net=net.py:Net", "trust_missing"),
        (["code.toml"], "trust_missing"),
        (["net=mlp|../net.py:Net"], "path_outside"),
        (["away.toml"], "path_outside"),
        (["labels=../secret/c.csv|a.csv"], "path_outside"),
        (["validation=0.1|/etc/passwd"], "path_outside"),
    ):
        with pytest.raises(TreinoError) as caught:
            tools()["sweep"].words({"data": "iris", "space": space}, folder)
        assert caught.value.rule in (rule, "argument_form"), space
        for each in [trusted] * (rule == "trust_missing" and isinstance(space, list)):
            tools()["sweep"].words({"data": "iris", "space": space}, each)
    for space in (["net=mlp|cnn"], ["rates.toml"], ["lr=1|2", "hidden=16|64,32"]):
        tools()["sweep"].words({"data": "iris", "space": space}, folder)


def test_no_change_on_the_way_is_code_or_a_place() -> None:
    for name in ("net", "out"):
        with pytest.raises(TreinoError, match=f"no setting {name}"):
            change_flags({name: "x.py:Net"})


# ---- words of a command line


@pytest.mark.slow
@given(st.text(max_size=20), st.text(max_size=20))
def test_no_value_becomes_a_flag(data: str, target: str) -> None:
    folder = AgentFolder(Path("/"), trust=False)
    try:
        words = tools()["train"].words({"data": data, "target": target}, folder)
    except TreinoError:
        return
    assert words[:2] == ["train", "--json"]
    assert words[2:] == [f"--target={target}", "--", data]


def test_forms_of_values() -> None:
    known = {each.name: each for each in setting_arguments(("Data", "Network", "Training loop"))}
    assert known["normalise"].words(False) == ["--no-normalise"]
    assert known["normalise"].words(True) == ["--normalise"]
    assert known["hidden"].words([64, 32]) == ["--hidden=64,32"]
    assert known["hidden"].words([]) == ["--hidden=none"]
    assert known["features"].words(["a,b", "c"]) == ['--features="a,b",c']
    flags = tools()["sweep"].flags({"data": "iris", "space": ["lr=1..2", "seed=0|1"]})
    assert flags == ["--space=lr=1..2", "--space=seed=0|1", "--", "iris"]
    with pytest.raises(TreinoError, match="can't be"):
        known["hidden"].words([[1]])


def test_tools_are_made_of_the_commands_own_parameters() -> None:
    verb = import_module("treino.cli.predict").predict
    helps = {name: parameter.annotation for name, parameter in inspect.signature(verb).parameters.items()}
    (coverage,) = [each for each in tools()["predict"].arguments if each.name == "coverage"]
    assert coverage.schema["description"] in str(helps["coverage"])
