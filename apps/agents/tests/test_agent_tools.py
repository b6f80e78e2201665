"""The tools of ``treino mcp`` on real data, asked by the client of the package ``mcp``."""

import base64
import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import jsonschema
import pandas as pd
import pytest
from PIL import Image
from tests.conftest import Said
from tests.waiting import until

from apps.agents.tests.client import Agent, Told
from apps.agents.tests.warm import RESAMPLES
from treino.folders.store import RunFolder
from treino.settings.spec import Settings
from treino.training.commands import send_command
from treino.training.replay import snapshots
from treino.training.stored_results import open_run
from treino_agents.server import shortened

TOOLS = {"describe_data", "train", "sweep", "show", "predict", "doctor", "explain", "steer", "rows", "judge"}


@pytest.fixture
def command_line(
    treino: Callable[..., Said], served: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Said]:
    """``treino`` in the agent's folder."""
    monkeypatch.chdir(served)
    monkeypatch.setattr("treino.inspection.variance_shares.RESAMPLES", RESAMPLES)
    return treino


def in_no_door(value: Any) -> Any:
    """A document without sentences that name settings as an agent writes them, or as one types them."""
    if isinstance(value, dict):
        return {key: in_no_door(each) for key, each in value.items() if key not in ("hint", "notes")}
    return [in_no_door(each) for each in value] if isinstance(value, list) else value


# ---- the list


def test_each_tool_says_what_it_takes(agent: Agent) -> None:
    tools = agent.tools()
    assert tools.keys() >= TOOLS
    for tool in tools.values():
        assert tool.description
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        jsonschema.Draft202012Validator(tool.input_schema).is_valid({})
    train = tools["train"].input_schema["properties"]
    assert set(Settings.model_fields) - {"out"} <= set(train)
    assert train["dropout"]["exclusiveMaximum"] == 1
    assert train["hidden"]["items"]["type"] == "integer"
    assert train["lr"]["description"] == Settings.model_fields["lr"].description
    assert tools["predict"].input_schema["required"] == ["run", "data"]
    assert tools["train"].input_schema["required"] == []
    assert "lr" in tools["steer"].input_schema["properties"]["changes"]["properties"]


# ---- each tool


@pytest.mark.slow
@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("describe_data", {"data": "houses.csv", "target": "price"}, "data houses.csv --target price"),
        ("show", {"run": "houses"}, "show houses"),
        ("show", {"run": "houses", "other": "iris"}, "show houses iris"),
        ("show", {}, "runs"),
        ("predict", {"run": "iris", "data": "iris"}, "predict iris iris"),
        ("doctor", {"subject": "iris"}, "doctor iris"),
        ("explain", {}, "explain"),
        ("explain", {"topic": "adam", "run": "iris", "step": 3}, "explain adam iris --step 3"),
        ("judge", {"trials": "trials.csv", "maximize": True}, "judge trials.csv --maximize"),
    ],
)
def test_documents_are_those_of_the_command_line(
    agent: Agent, command_line: Callable[..., Said], tool: str, arguments: dict[str, Any], words: str
) -> None:
    answer = agent.call(tool, **arguments)
    assert answer.structured_content is not None
    assert in_no_door(answer.structured_content) == in_no_door(
        command_line(*words.split(), "--json").document
    )
    assert json.loads(answer.content[0].text) == answer.structured_content


@pytest.mark.slow
def test_settings_of_every_form_arrive(agent: Agent) -> None:
    own = {"data": "houses.csv", "target": "price", "kinds": ["rooms=category"], "class_weights": None}
    loop = {"batch_size": "full", "steps": 7, "optimizer": "sgd", "momentum": 0.5, "nesterov": True}
    document = agent.document("train", hidden=[5, 4], normalise=False, lr=0.001, **own, **loop)
    settings = document["settings"]
    assert document["steps"] == 7
    assert settings["hidden"] == [5, 4]
    assert settings["kinds"] == ["rooms=category"]
    assert (settings["normalise"], settings["nesterov"], settings["batch_size"]) == (False, True, "full")
    assert agent.document("train", data="iris", hidden=[], steps=3)["settings"]["hidden"] == []
    assert agent.document("train", data="iris", hidden="6,5", steps=3)["settings"]["hidden"] == [6, 5]


@pytest.mark.slow
def test_a_sweep_and_rows(agent: Agent) -> None:
    told = Told()
    answer = agent.call(
        "sweep", told, data="iris", space=["lr=1e-3..1e-1:log", "hidden=4|8,8"], members=4, epochs=2, fresh=2
    )
    document = answer.structured_content
    assert document is not None
    assert document["members"] == 4
    assert document["judge"]
    values = [value for value, _total, _text in told.progress]
    assert values == sorted(set(values))
    rows = agent.document("rows", data="iris", networks=8)
    assert rows["networks"] == 8


@pytest.mark.slow
def test_predictions_and_pictures(agent: Agent, served: Path) -> None:
    assert agent.document("predict", run="houses", data="houses.csv", to="said.csv")["path"] == "said.csv"
    assert len(pd.read_csv(served / "said.csv")) == 120
    refused = agent.refusal("predict", run="houses", data="houses.csv", to="said.csv")
    assert "said.csv" in refused["message"]
    agent.document("predict", run="houses", data="houses.csv", to="said.csv", replace=True)
    answer = agent.call("show", run="iris", picture=["curves", "confusion"])
    assert answer.structured_content is not None
    pictures = [part for part in answer.content if part.type == "image"]
    assert len(pictures) == len(answer.structured_content["paths"]) == 2
    for part, path in zip(pictures, answer.structured_content["paths"], strict=True):
        content = base64.b64decode(part.data)
        assert content == (served / path).read_bytes()
        assert Image.open(BytesIO(content)).format == "PNG"
        assert part.mime_type == "image/png"


# ---- steering


@pytest.mark.slow
def test_a_setting_is_set_while_it_trains_and_replays(
    agent: Agent, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = Thread(
        target=agent.call,
        args=("train",),
        kwargs={
            "data": "iris",
            "hidden": [6],
            "optimizer": "RMSprop",
            "epochs": 1_000_000,
            "patience": 0,
            "name": "live",
        },
    )
    training.start()
    until(lambda: (served / "runs/live/spec.json").exists())
    live = RunFolder.open(served / "runs/live")
    until(lambda: live.status == "running")
    until(lambda: agent.document("show", run="live")["steps"] > 1)
    send_command(live, "pause")  # and burns no processor from here on
    sent = agent.document("steer", action="set", run="live", changes={"lr": 0.001, "alpha": 0.9})
    assert sent["set"] == {"lr": 0.001, "alpha": 0.9}
    assert sent["state"] == "accepted"
    send_command(live, "step", 9)
    until(lambda: len(agent.document("show", run="live")["changes"]) == 1)
    unknown = agent.refusal("steer", action="set", run="live", changes={"lrr": 0.1})
    assert "alpha" in unknown["hint"]
    for step, words in ((1, "lr can't be set from step 1 on"), (10**12, "the training ends after")):
        error = agent.refusal("steer", action="set", run="live", changes={"lr": 0.5}, step=step)
        assert error["rule"] == "set_refused"
        assert words in error["message"]
        assert error["hint"]
    agent.document("steer", action="stop", run="live")
    training.join()
    document = agent.document("show", run="live")
    assert document["status"] == "stopped"
    assert [change["sender"] for change in document["changes"]] == ["agent"]
    monkeypatch.chdir(served)
    run = open_run("live")
    assert all(str(change).endswith("(by an agent).") for change in run.changes)
    (change,) = run.changes
    (moment,) = snapshots(run, [change.step + 1])  # trained again from the nearest keyframe, by the commands
    assert moment.hp["lr"] == 0.001
    assert moment.hp["alpha"] == 0.9


@pytest.mark.slow
def test_rewind_branch_and_fan(agent: Agent, served: Path) -> None:
    steered = agent.document(
        "steer", action="branch", run="iris", step=50, changes={"lr": 0.001, "hidden": [8]}, name="branch"
    )
    change = {"segment": 1, "step": 50, "settings": {"hidden": [8], "lr": 0.001}, "sender": "agent"}
    assert steered["changes"] == [change]
    assert steered["parent"] == {"run": "iris", "segment": 0, "step": 50, "test_looks": 1}
    again = agent.document("steer", action="rewind", run="branch", step=80, changes={"clip": 1})
    assert [change["sender"] for change in again["changes"]] == ["agent", "agent"]
    before = sorted(path.name for path in (served / "runs").iterdir())
    fan = agent.document("steer", action="fan", run="iris", step=50, kind="lr", count=4, steps=30)["fan"]
    assert [len(future["loss"]) > 1 for future in fan["futures"]] == [True] * 4
    assert fan["best"] in range(4)
    tries = [{"lr": 0.1}, {"batch_size": 16}, {"optimizer": "sgd", "lr": 0.1}]
    own = agent.document("steer", action="fan", run="iris", step=50, candidates=tries, steps=20)["fan"]
    assert [future["changes"] for future in own["futures"]] == tries
    assert (own["kind"], own["steps"], own["done"]) == ("candidates", 20, 20)
    near = agent.document("steer", action="fan", run="iris", step=190, count=2, steps=30)["fan"]
    assert (near["steps"], near["done"]) == (10, 10)  # of a run of 200
    assert sorted(path.name for path in (served / "runs").iterdir()) == before


# ---- progress, and an end before the end


@pytest.mark.slow
def test_progress_rises_and_a_cancelled_training_is_saved(agent: Agent) -> None:
    long = {"data": "iris", "hidden": [6], "epochs": 1_000_000, "patience": 0}
    agent.cancelled("train", lambda text: text.startswith("epoch"), **long, name="cut")
    notes: list[str] = []

    def ended() -> bool:
        answer = agent.call("show", run="cut")
        notes.extend(part.text for part in answer.content[1:])
        assert answer.structured_content is not None
        return answer.structured_content["status"] == "interrupted" and bool(notes)

    until(ended)
    told = "train was cancelled, and runs/cut is saved. It goes on by steer(action='resume', run='runs/cut')."
    assert notes == [told]
    steps = agent.document("show", run="cut")["steps"]
    agent.cancelled("steer", lambda text: text.startswith("epoch"), action="resume", run="runs/cut")
    until(lambda: agent.document("show", run="cut")["status"] == "interrupted")
    assert agent.document("show", run="cut")["steps"] > steps > 0


def test_a_long_answer_has_the_ends_of_its_lists_alone() -> None:
    document = {"loss": {"train": list(range(30_000)), "best": 3}, "runs": [{"steps": [1] * 400}] * 5}
    short = shortened(document)
    assert short["shortened"] == {"loss.train": 30_000}
    assert short["loss"] == {"train": [*range(500), *range(29_500, 30_000)], "best": 3}
    assert short["runs"] == document["runs"]
    assert len(json.dumps(shortened({"a": [[0.1234567] * 200] * 200}))) < 65_000
    assert shortened(short | {"shortened": 1}) == short | {"shortened": 1}


# ---- what is wrong is told

WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("describe_data", {"data": "no.csv"}, "data_unknown", "no.csv"),
    ("train", {}, "usage", "DATA is missing"),
    ("train", {"data": "iris", "optimizer": "adm"}, "optimizer_unknown", "Did you mean 'adam'?"),
    ("train", {"data": "iris", "optimiser": "adam"}, "argument_unknown", "Did you mean 'optimizer'?"),
    ("train", {"data": {"a": 1}}, "argument_form", "data can't be"),
    ("sweep", {"space": ["lr=0.1|0.2"]}, "argument_missing", "sweep needs data"),
    ("show", {"run": "houss"}, "run_missing", "Did you mean 'houses'?"),
    ("show", {"run": "iris", "picture": ["curve"]}, "", "curves"),
    ("show", {"run": "iris", "row": 3}, "choice_without_picture", "picture"),
    ("predict", {"run": "iris"}, "argument_missing", "predict needs data"),
    ("steer", {"action": "jump", "run": "iris"}, "action_unknown", "jump"),
    ("steer", {"action": "rewind", "run": "iris"}, "argument_missing", "step"),
    ("steer", {"action": "rewind", "run": "iris", "step": 9, "changes": {"lrr": 1}}, "unknown_setting", "lr"),
    ("steer", {"action": "stop", "run": "iris", "step": 3}, "argument_of_action", "step"),
    ("steer", {"action": "set", "run": "iris", "changes": {"lr": 0.1}}, "not_running", "finished"),
    ("steer", {"action": "set", "run": "iris", "changes": {}}, "changes_missing", "changes"),
    ("steer", {"action": "fan", "run": "iris", "step": 10, "kind": "lrr"}, "futures_unknown", "lr"),
    ("steer", {"action": "fan", "run": "iris", "step": 9, "candidates": []}, "futures_count", "at least"),
    ("steer", {"action": "fan", "run": "iris", "step": 1, "candidates": [], "kind": "lr"}, "", "kind stands"),
    ("steer", {"action": "fan", "run": "iris", "step": 10, "candidates": "lr"}, "argument_form", "object"),
    ("steer", {"action": "fan", "run": "iris", "step": 9, "candidates": [{"lr": 1}, {"lr": None}]}, "", "lr"),
    ("nothing", {}, "tool_unknown", "nothing"),
]


@pytest.mark.parametrize(("tool", "arguments", "rule", "words"), WRONG)
def test_bad_input_is_an_error_with_a_rule_and_a_next_move(
    agent: Agent, tool: str, arguments: dict[str, Any], rule: str, words: str
) -> None:
    error = agent.refusal(tool, **arguments)
    assert error["rule"] == rule or not rule
    assert error["message"]
    assert words in error["message"] + error["hint"]
    assert "Traceback" not in json.dumps(error)
