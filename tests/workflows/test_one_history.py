"""All that speaks of a run's settings tells one history: what the acts on it made true, at each step.

Histories of acts are drawn: settings set while the run trains, by several senders; ways back to any step,
with other settings or the same; branches, and futures that are adopted; stops and kills. After each act one
of the doors is asked for the settings of the steps, and at the end all are. A loop in torch, which knows the
acts alone, must reach the same weights, to the bit.
"""

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from torch import Tensor

from tests.workflows import history_doors as doors
from tests.workflows.steered_run import BASES, BETWEEN, FUTURE, LIVE, READ_BY, SteeredRun, Truth, plain_loop
from treino.folders.stored_run import StoredRun
from treino.training.replay import snapshots
from treino.training.verification import verify

pytestmark = pytest.mark.usefixtures("bare", "undrawn", "_at_once")

DOORS: tuple[doors.Door, ...] = (doors.timeline, doors.shown, doors.reported, doors.opened, doors.page)


@pytest.fixture(scope="module")
def _at_once() -> Iterator[None]:
    """Pauses take no time, and records go to disk only when a command or a checkpoint needs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("treino.training.loop.PAUSE_SECONDS", 0.0)
        patch.setattr("treino.folders.store.database.INTERVAL", float("inf"))
        patch.setattr("treino.reports.run_report.WRITTEN", {})
        yield


# ---- histories

Act = tuple[Any, ...]


def of_these(values: Mapping[str, Sequence[Any]]) -> st.SearchStrategy[tuple[str, Any]]:
    """A setting and one of its values."""
    return st.sampled_from([(name, value) for name, several in values.items() for value in several])


ALL = {name: values for name, values in (LIVE | BETWEEN).items() if name not in ("beta1", "beta2")}
CHANGES = st.lists(of_these(ALL), max_size=2).map(dict)
STEP = st.integers(0, 30)  # beyond the last step it is counted from 0 again
SENDER = st.sampled_from(["", "agent", "alert"])
ACT: st.SearchStrategy[Act] = st.one_of(
    st.tuples(st.just("set"), of_these(LIVE), st.sampled_from([0, 0, 0, 2]), SENDER),
    st.tuples(st.just("rewind"), STEP, CHANGES, SENDER),
    st.tuples(st.just("branch"), STEP, CHANGES, SENDER),
    st.tuples(st.just("adopt"), STEP, CHANGES, CHANGES, st.booleans()),
    st.tuples(st.sampled_from(["checkpoint", "stop"])),
    st.tuples(st.just("kill"), st.none() | of_these(LIVE)),
)
HISTORY = st.lists(st.tuples(st.integers(0, 9), ACT), min_size=1, max_size=6).map(
    lambda pairs: [each for steps, act in pairs for each in (("play", steps), act)]
)


def taken(changes: Mapping[str, Any], now: Mapping[str, Any], *, live: bool, drops: bool) -> dict[str, Any]:
    """Those of the changes that a training with these settings takes. live: while it trains. drops: whether
    its network has a dropout layer."""
    optimizer = changes.get("optimizer", now["optimizer"])
    kept = {name: value for name, value in changes.items() if optimizer in READ_BY.get(name, (optimizer,))}
    if not now["ema"]:
        kept.pop("ema", None)
    if not drops and (live or not kept.get("dropout")):
        kept.pop("dropout", None)
    return kept


def act(run: SteeredRun, name: str, *values: Any) -> None:
    """Do one of the acts, as far as it means something here."""
    truth = run.truth
    drops = truth.first["dropout"] > 0
    if name == "set":
        (setting, value), after, sender = values
        if taken({setting: value}, truth.at(truth.step), live=True, drops=drops):
            run.set(setting, value, after, sender)
    elif name in ("rewind", "branch", "adopt"):
        step = values[0] % (truth.step + 1)
        now, asked = truth.at(step), [each for each in values[1:] if isinstance(each, dict)]
        changes = [taken(each, now, live=False, drops=drops) for each in asked]
        if step >= min(each.get("steps", now["steps"]) for each in changes):
            return
        if name == "adopt":
            future = run.adopt(step, changes, as_branch=values[-1])
            run.play(FUTURE)
            assert same(run.snapshot(run.truth.step).net.state_dict(), future)
        else:
            getattr(run, name)(step, changes[0], values[-1])
    elif name == "stop":
        run.stop()
        run.resume()
    elif name == "kill":
        (unread,) = values
        if unread and not taken(dict([unread]), truth.at(run.saved), live=True, drops=drops):
            unread = None
        run.kill(unread)
    else:
        getattr(run, name)(*values)


def disagreements(base: str, history: Sequence[Act]) -> list[str]:
    """Live through a history, and play to its end. Return what the doors say that isn't so, after the first
    act that makes some."""
    first = len(history) % len(DOORS)
    turns = cycle(DOORS[first:] + DOORS[:first])
    with tempfile.TemporaryDirectory() as folder:
        run = SteeredRun(base, Path(folder))
        try:
            for name, *values in history:
                act(run, name, *values)
                if untrue := [*untruths(run.stored(), run.truth, [next(turns)])]:
                    return untrue
            run.play(1000)
            untrue = [*untruths(run.stored(), run.truth, DOORS), *other_numbers(run), *of_the_end(run)]
            untrue += strangers(run.stored(), run.truth)
            for left, truth in [*run.left()][-2:]:
                untrue += untruths(left, truth, [doors.opened, doors.page])
            return untrue
        finally:
            run.end()


# ---- what is said, and what is so


def untruths(run: StoredRun, truth: Truth, asked: Sequence[doors.Door]) -> Iterator[str]:
    """A line for each setting of a step of which a door says what isn't so."""
    for name, told in chain.from_iterable(door(run, truth.first, truth.borders()) for door in asked):
        for step, settings in told.items():
            true = truth.at(step)
            for setting in settings.keys() & true.keys():
                value, expected, reads = settings[setting], true[setting], READ_BY.get(setting)
                if reads is not None and true["optimizer"] not in reads:
                    continue
                if isinstance(value, float) and isinstance(expected, float):
                    agrees = math.isclose(value, expected, rel_tol=1e-12)  # a schedule was divided out of it
                else:
                    agrees = value == expected
                if not agrees:
                    yield f"{name}: {setting} is {value!r} at step {step}, and not {expected!r}"


def strangers(run: StoredRun, truth: Truth) -> Iterator[str]:
    """A line for each change that the run tells and nobody made, or somebody else."""
    made = {(each.step, each.name, each.sender) for each in truth.changes}
    for each in run.changes:
        for name in doors.plain(each.settings):
            if (each.step, name, each.sender) not in made:
                yield f"changes: nobody set {name} from step {each.step} on as {each.sender!r}"


def other_numbers(run: SteeredRun) -> Iterator[str]:
    """A line for losses that aren't those of torch's loop, and for each step with other weights."""
    stored, truth = run.stored(), run.truth
    moments = plain_loop(truth, run.net, run.rows)
    true_S = np.array([moment.loss for moment in moments[1:]], np.float32)
    if not np.array_equal(stored.losses, true_S):
        equal = [a == b for a, b in zip(stored.losses, true_S, strict=False)]
        first = [*equal, False].index(False)
        yield f"losses: {len(stored.losses)} for {len(true_S)} steps; equal are the first {first}"
    for snapshot in snapshots(stored, truth.borders()):
        moment = moments[snapshot.step]
        if not same(snapshot.trained_net.state_dict(), moment.weights):
            yield f"moments: other weights at step {snapshot.step}"
        elif not same(snapshot.net.state_dict(), moment.average if truth.first["ema"] else moment.weights):
            yield f"moments: another answer at step {snapshot.step}"


def of_the_end(run: SteeredRun) -> Iterator[str]:
    """Lines for the exported script and the verification, once the training is over."""
    truth = run.truth
    last = plain_loop(truth, run.net, run.rows)[-1]
    if "NAdam" in [truth.at(step)["optimizer"] for step in range(truth.step)]:
        pass  # a script has only the updates that treino can write
    elif not same(doors.scripted(run.stored()), last.average if truth.first["ema"] else last.weights):
        yield f"script: other weights after step {truth.step}"
    if (verdict := verify(run.stored()).verdict) != "equal":
        yield f"verify: {verdict}"


def same(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> bool:
    """Whether the tensors are equal; a layer's number may be another one."""
    pairs = zip(sorted(a.items()), sorted(b.items()), strict=True)
    return all(torch.equal(one, other) for (_name, one), (_other, other) in pairs)


CHANGED_THEN_REWOUND: list[Act] = [
    ("play", 11),
    ("set", ("lr", 0.05), 0, ""),
    ("play", 12),
    ("rewind", 11, {}, ""),
    ("play", 3),
]


OWN_NUMBER: list[Act] = [
    ("play", 5),
    ("set", ("momentum_decay", 0.1), 2, "agent"),
    ("play", 5),
    ("kill", None),
    ("branch", 9, {"optimizer": "adam"}, ""),
    ("play", 4),
    ("rewind", 12, {"optimizer": "NAdam", "momentum_decay": 0.05}, ""),
    ("play", 3),
    ("set", ("momentum_decay", 0.004), 0, ""),
]


@pytest.mark.proof
@example("adam", CHANGED_THEN_REWOUND)
@example("own", OWN_NUMBER)
@examples(max_examples=2)
@given(st.sampled_from([*BASES]), HISTORY)
def test_all_doors_tell_one_history(base: str, history: list[Act]) -> None:
    assert disagreements(base, history) == []


@pytest.mark.release
@examples(max_examples=300)
@given(st.sampled_from([*BASES]), HISTORY)
def test_all_doors_tell_one_of_many_histories(base: str, history: list[Act]) -> None:
    assert disagreements(base, history) == []
