"""Commands to a script, the file of its changes, the line between them, and what an optimizer can be set."""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from treino.base.errors import TreinoError
from treino_studio.script.commands import SETTINGS, SetValue, read_command
from treino_studio.script.figures import check_value, set_value, settings_of
from treino_studio.script.json_socket import JsonSocket
from treino_studio.script.steering import Change, SteeringFile, SteeringHeader, read_steering
from treino_studio.script_page import ScriptPage

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(["set", "lr", "press", "step"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["do", "name", "value", "group", "count", "button"]), inner)
    ),
    max_leaves=8,
)


def refusal(some: Callable[[], object]) -> TreinoError | None:
    """The error that it raises."""
    try:
        some()
    except TreinoError as error:
        return error
    return None


@settings(max_examples=50)
@given(ANYTHING)
def test_whatever_is_asked_is_a_command_or_is_refused_in_three_parts(asked: Any) -> None:
    refused = refusal(lambda: read_command(asked))
    assert refused is None or (refused.rule == "studio_command" and refused.message and refused.hint)


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ({"do": "paws"}, "'paws'", "'pause'"),
        ({"do": "set", "name": "lrr", "value": 1}, "'lrr'", "'lr'"),
        ({"do": "set", "name": "lr", "value": -1.0}, "lr can't be -1.0", "from 0 to 1\u202f000\u202f000."),
        ({"do": "set", "name": "lr", "value": float("nan")}, "nan", "from 0 to"),
        ({"do": "set", "name": "lr", "value": "0.1"}, "'0.1'", "from 0 to"),
        ({"do": "set", "name": "lr", "value": True}, "True", "from 0 to"),
        ({"do": "set", "name": "beta2", "value": 1.0}, "beta2", "below 1"),
        ({"do": "set", "name": "lr", "value": 1.0, "group": -1}, "group: -1", "optimizer, group"),
        ({"do": "set", "name": "lr"}, "value: None", "optimizer, group"),
        ({"do": "step", "count": 10**9}, "count", "count"),
        ({"do": "watch"}, "on: None", "do, on"),
        ([], "None", "pause"),
    ],
)
def test_the_refusal_names_the_value_and_what_it_may_be(asked: Any, message: str, hint: str) -> None:
    with pytest.raises(TreinoError) as refused:
        read_command(asked)
    assert message in refused.value.message
    assert hint in refused.value.hint


# --- the file -------------------------------------------------------------------------------------------
HEADER = SteeringHeader(script="train.py", sha256="0" * 64, args=("--a", "ü"), torch="2.13")
VALUES = st.builds(
    SetValue,
    do=st.just("set"),
    optimizer=st.integers(0, 9999),
    group=st.integers(0, 9999),
    name=st.sampled_from(SETTINGS),
    value=st.floats(0, 0.999),
)
PRESSES = st.text(max_size=9).map(lambda name: read_command({"do": "press", "button": name}))
COMMANDS = st.lists(st.tuples(st.integers(1, 10**12), VALUES | PRESSES), max_size=6)


@settings(max_examples=50)
@given(COMMANDS, st.integers(0, 6), st.data())
def test_changes_are_read_as_they_were_written_and_damage_is_named(
    tmp_path_factory: pytest.TempPathFactory, commands: list[Any], first: int, data: st.DataObject
) -> None:
    changes = [Change(step, command) for step, command in sorted(commands, key=lambda pair: pair[0])]
    file = SteeringFile(tmp_path_factory.mktemp("steering") / "a.jsonl", HEADER)
    for number, change in enumerate(changes):
        file.add(change, by_hand=number >= first)
    file.close()
    assert file.path.exists() == (len(changes) > first)
    if not file.path.exists():
        return
    assert read_steering(file.path) == (HEADER, changes)

    lines = file.path.read_text().splitlines()
    number = data.draw(st.integers(0, len(lines) - 1))
    lines[number] = lines[number][: data.draw(st.integers(0, len(lines[number]) - 1))]
    file.path.write_text("\n".join(lines) + "\n")
    with pytest.raises(TreinoError, match=f"line {number + 1} is none") as refused:
        read_steering(file.path)
    assert refused.value.rule == "steering_file"


@pytest.mark.parametrize(
    "line", ['{"step": 0, "name": "lr", "value": 1}', '{"step": 2, "do": "watch", "on": true}', "[]", "1", ""]
)
def test_a_line_that_treino_never_writes_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        json.dumps(HEADER.model_dump()) + '\n{"step": 3, "name": "lr", "value": 1}\n' + line + "\n"
    )
    with pytest.raises(TreinoError, match="line 3"):
        read_steering(path)
    path.write_text(line)
    with pytest.raises(TreinoError, match="line 1"):
        read_steering(path)


# --- the line -------------------------------------------------------------------------------------------
def test_a_server_that_reads_nothing_holds_nobody_up_and_gets_whole_lines_later() -> None:
    ours, theirs = socket.socketpair()
    line = JsonSocket(theirs)
    posted = 0
    while line.flushed() and posted < 100_000:
        line.post({"n": posted, "text": "x" * 1000})
        posted += 1
    assert posted < 100_000
    line.post({"n": posted})
    read = b""
    ours.setblocking(False)
    while not read.endswith(b'{"n":%d}\n' % posted):
        line.flushed()
        read += ours.recv(1 << 16)
    assert [json.loads(line)["n"] for line in read.splitlines()] == list(range(posted + 1))
    ours.close()
    line.post({"n": 0})
    assert not line.is_open
    line.post({"n": 0})
    assert line.receive(9.0) == []


def test_a_socket_of_the_script_s_own_that_got_the_number_is_left_alone() -> None:
    ours, theirs = socket.socketpair()
    mine, other = socket.socketpair()
    with ours, mine, other:
        number = theirs.fileno()
        line = JsonSocket(theirs)
        os.dup2(mine.fileno(), number)
        line.post({"step": 1})
        assert not line.is_open
        os.write(number, b"the script's")  # still open
        assert other.recv(100) == b"the script's"
        os.close(number)


def test_a_number_of_no_meaning_to_json_is_written_as_a_word() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        JsonSocket(theirs).post({"a": [float("nan"), {"b": float("-inf")}, 0.5]})
        assert json.loads(ours.recv(1000)) == {"a": ["nan", {"b": "-inf"}, 0.5]}


# --- optimizers -----------------------------------------------------------------------------------------
def asked(name: str, value: float, group: int = 0) -> SetValue:
    return SetValue(do="set", optimizer=0, group=group, name=name, value=value)  # type: ignore[arg-type]


def stepped(optimizer: torch.optim.Optimizer, p: nn.Parameter, steps: int = 2) -> torch.Tensor:
    for i in range(steps):
        p.grad = torch.full_like(p, 0.5 + i)
        optimizer.step(lambda: p.sum()) if isinstance(optimizer, torch.optim.LBFGS) else optimizer.step()
    return p.detach().clone()


@pytest.mark.parametrize(
    "kind",
    ["SGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "Adagrad", "Adadelta", "ASGD", "Rprop"],
)
@pytest.mark.parametrize("name", SETTINGS)
def test_what_may_be_set_after_steps_can_be_stepped_with_and_what_may_not_changes_nothing(
    kind: str, name: str
) -> None:
    p = nn.Parameter(torch.ones(3))
    optimizer = getattr(torch.optim, kind)([p], lr=0.01)
    stepped(optimizer, p)
    before = settings_of(optimizer.param_groups[0])
    command = asked(name, 0.25)
    if refused := refusal(lambda: check_value(optimizer, command)):
        assert refused.rule == "studio_setting"
        assert settings_of(optimizer.param_groups[0]) == before
        return
    old = set_value(optimizer, command)
    now = settings_of(optimizer.param_groups[0])
    if name.startswith("beta"):
        place = int(name[-1]) - 1
        assert (old, now["betas"][place]) == (before["betas"][place], 0.25)
        now["betas"] = before["betas"]
    else:
        assert (old, now.pop(name)) == (before.pop(name), 0.25)
    assert now == before
    assert torch.isfinite(stepped(optimizer, p)).all()


@pytest.mark.parametrize(
    ("kind", "options", "name", "message"),
    [
        ("RMSprop", {}, "momentum", "began without momentum"),
        ("Rprop", {}, "lr", "first step alone"),
        ("Adam", {}, "momentum", "Adam has no momentum"),
        ("SGD", {}, "beta1", "SGD has no beta1"),
    ],
)
def test_what_would_break_or_do_nothing_is_refused(
    kind: str, options: dict[str, Any], name: str, message: str
) -> None:
    p = nn.Parameter(torch.ones(3))
    optimizer = getattr(torch.optim, kind)([p], **options)
    stepped(optimizer, p)
    with pytest.raises(TreinoError, match=message):
        check_value(optimizer, asked(name, 0.25))


def test_sparse_gradients_can_t_be_decayed() -> None:
    words = nn.Embedding(4, 2, sparse=True)
    optimizer = torch.optim.SGD(words.parameters(), lr=0.1)
    words(torch.tensor([1])).sum().backward()
    with pytest.raises(TreinoError, match="sparse"):
        check_value(optimizer, asked("weight_decay", 0.1))


def test_a_rate_that_is_a_tensor_stays_that_tensor_unless_groups_share_it() -> None:
    rate = torch.tensor(0.5)
    alone = torch.optim.Adam([nn.Parameter(torch.ones(1))], lr=rate)
    present = alone.param_groups[0]["lr"]
    assert set_value(alone, asked("lr", 0.25)) == 0.5
    assert alone.param_groups[0]["lr"] is present
    assert float(present) == 0.25

    groups = [{"params": nn.Parameter(torch.ones(1)), "lr": rate} for _ in range(2)]
    shared = torch.optim.Adam(groups)
    set_value(shared, asked("lr", 0.125, group=1))
    assert [float(group["lr"]) for group in shared.param_groups] == [float(rate), 0.125]


def test_the_changes_of_a_branch_are_those_that_led_to_it() -> None:
    """Of another branch it has none, and of the one that it parted from only those before its checkpoint."""
    put: list[dict[str, Any]] = []
    page = ScriptPage(cast(Any, SimpleNamespace(put=put.append)), cast(Any, None))

    def kept(*numbers: int) -> dict[str, Any]:
        return {"checkpoints": {"list": [{"number": number, "step": 4} for number in numbers]}}

    def branch(number: int, checkpoint: int | None, parent: int, present: bool) -> dict[str, Any]:
        return {
            "number": number, "checkpoint": checkpoint, "parent": parent, "step": 4, "folder": None,
            "present": present, "text": "",
        }  # fmt: skip

    def changed(value: float, **run: str) -> dict[str, Any]:
        return {**run, "changed": {"step": 5, "do": "set", "name": "lr", "value": value}}

    first, second, third = branch(0, None, 0, False), branch(1, 1, 0, False), branch(2, 2, 1, True)
    for message in (
        changed(0.5), kept(1), changed(0.25), {"branches": [first, {**second, "present": True}]},
        changed(0.03, run="branch-1"), kept(1, 2), changed(0.04, run="branch-1"),
        {"branches": [first, second, third]}, changed(0.06, run="branch-2"),
    ):  # fmt: skip
        page._take(message)

    def shown() -> list[float]:
        return [change["value"] for change in put[-1]["state"]["changes"]]

    assert shown() == [0.5, 0.03, 0.06]
    page._take({"branches": [first, {**second, "present": True}, {**third, "present": False}]})
    assert shown() == [0.5, 0.03, 0.04]
    page._take({"branches": [{**first, "present": True}, second, {**third, "present": False}]})
    assert shown() == [0.5, 0.25]
