"""Alerts: their grammar, what holds when, and what each action does to a real training."""

import json
import math
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from torch.utils.data import TensorDataset

import treino as tr
from tests.conftest import refusal_of
from tests.workflows.test_resume import in_a_child
from treino.base.errors import TreinoError
from treino.engine.defaults import DEFAULTS
from treino.training import alert_actions
from treino.training.alert_conditions import AlertCourse, Course, TrainingPlace
from treino.training.alerts import (
    BEST,
    COMPARISONS,
    FIGURES,
    FINDING,
    NAN,
    NOT_BEST,
    TRAINING,
    TRENDS,
    Action,
    Alert,
    Clause,
    Condition,
    NewValue,
    Span,
    alert_of,
)
from treino.training.loop import JobAlert, JobProgress
from treino.training.verification import verify

# ---- the grammar

numbers = st.floats(-1e9, 1e9, allow_nan=False)
counted = st.builds(Span, st.integers(1, 1000).map(float), st.sampled_from(["epochs", "steps"]))
spans = counted | st.builds(Span, st.integers(1, 900).map(float), st.just("s"))


@st.composite
def clauses(draw: st.DrawFn) -> Clause:
    figure = draw(st.sampled_from(sorted(FIGURES)))
    kind = FIGURES[figure]
    ways = ["comparison", *([*TRENDS, NAN] if kind.moves else []), *([BEST, NOT_BEST] if kind.better else [])]
    way = draw(st.sampled_from([*ways, FINDING]))
    if way == FINDING:
        return Clause(draw(st.sampled_from(["lr_too_high", "diverged", "dead_relu"])), FINDING)
    if way == NAN:
        return Clause(figure, NAN)
    if way != "comparison":
        return Clause(figure, way, None, draw(counted))
    low, high = {"share": (0.0, 1.0), "seconds": (0.0, 1e5)}.get(kind.unit, (-1e6, 1e6))
    number = draw(st.floats(low, high))
    number = round(number, 3) if kind.unit == "seconds" else number
    return Clause(figure, draw(st.sampled_from(sorted(set(COMPARISONS.values())))), number,
                  draw(st.none() | spans))  # fmt: skip


conditions = st.builds(
    Condition,
    st.lists(st.lists(clauses(), min_size=1, max_size=3).map(tuple), min_size=1, max_size=3).map(tuple),
)
factors = st.builds(NewValue, st.sampled_from(["lr", "weight_decay"]), st.floats(1e-6, 1e3), st.just(True))
values = st.builds(NewValue, st.sampled_from(["lr", "clip"]), st.floats(1e-6, 9.0)) | st.just(
    NewValue("clip", None)
)
changes = (factors | values).map(lambda change: (change,))
words = st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1), min_size=1)
actions = (
    st.just(Action("stop"))
    | st.builds(Action, st.just("set"), changes)
    | st.builds(Action, st.just("rewind"), changes | st.just(()))
    | st.builds(Action, st.just("notify"), st.just(()), words.map(tuple))
)


@given(st.builds(Alert, conditions, actions))
def test_what_is_written_is_read_again(alert: Alert) -> None:
    assert alert_of(str(alert)) == alert


FIGURE = ["loss", "accuracy", "validation", "training", "gradient", "norm", "time", "spent"]
WAY = ["rises", "falls", "stands", "still", "is", "not", "best", "nan", "for", "finding", ">", "<="]
REST = ["lr_too_high", "5", "0.98", "-1", "1e999", "%", "epochs", "steps", "min", "http://x", "inf"]
SIGNS = ["=", "and", "or", ":", ":", "stop", "lr*0.5", "lr=x", "rewind", "notify", "'", '"']
WORDS = FIGURE + WAY + REST + SIGNS


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join) | st.text())
def test_any_text_is_an_alert_or_is_refused_in_a_sentence(text: str) -> None:
    with suppress(TreinoError):
        alert = alert_of(text)
        assert alert_of(str(alert)) == alert


MEANT = {
    "accuracy >= 98%: stop": "validation accuracy >= 0.98: stop",
    "Loss ≥ 2: stop": "training loss >= 2: stop",
    "val loss rises for 1 epoch: Stop": "validation loss rises for 1 epoch: stop",
    "time spent > 10 min: stop": "time spent > 600 s: stop",
    "gradient norm > 100 for 20 steps: rewind lr*0.5": "gradient norm > 100 for 20 steps: rewind lr*0.5",
    "lr < 0.1 for 2 min: weight-decay=0": "lr < 0.1 for 120 s: weight_decay=0",
    "loss is nan or epoch > 3 and lr < 1: notify a 'b c'": "training loss is nan or epoch > 3 and lr < 1: "
    "notify a 'b c'",
}


@pytest.mark.parametrize("text", MEANT)
def test_an_alert_is_read_as_people_write_it(text: str) -> None:
    assert str(alert_of(text)) == MEANT[text]


REFUSED = {
    "acuracy > 0.9: stop": ("alert_figure", "Did you mean 'accuracy'?"),
    "accuracy > 98: stop": ("alert_range", "Write 0.98, or 98 %."),
    "time spent > -3 s: stop": ("alert_number", "time spent > 10 min"),
    "loss rises: stop": ("alert_span", "for 5 epochs"),
    "loss > 1 for 0 epochs: stop": ("alert_span", "for 5 epochs"),
    "loss > 1 for 2.5 steps: stop": ("alert_span", "for 5 epochs"),
    "loss = 1: stop": ("alert_comparison", ">, >=, <, <="),
    "epoch rises for 3 epochs: stop": ("alert_way", "epoch > 1"),
    "finding lr_to_high: stop": ("alert_finding", "Did you mean 'lr_too_high'?"),
    "loss > 1": ("alert_form", "rises for 5 epochs"),
    "loss > 1: halt": ("alert_action", "notify COMMAND"),
    "loss > 1: epochs*0.5": ("alert_hyperparameter", "Did you mean 'eps'?"),
    "loss > 1: lr*-1": ("alert_value", "lr*0.5"),
    "loss > 1: lr*0.5 lr=1": ("alert_twice", "one value"),
    "loss > 1: notify": ("alert_command", "notify-send"),
    "lr > 3 rows: stop": ("alert_number", "lr > 100"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_alert_is_refused_with_the_next_move(text: str) -> None:
    caught = refusal_of(alert_of, text)
    rule, hint = REFUSED[text]
    assert caught.rule == rule
    assert hint in caught.hint


@pytest.mark.parametrize(
    ("text", "metric", "figure"),
    [
        ("half_right < .5: stop", "half_right@3fa9c1d2", "validation half_right@3fa9c1d2"),
        ("val HalfRight rises for 2 epochs: stop", "HalfRight@3fa9c1d2", "validation HalfRight@3fa9c1d2"),
        (
            "validation half_right@3fa9c1d2 < .5: stop",
            "half_right@3fa9c1d2",
            "validation half_right@3fa9c1d2",
        ),
        ("balanced_accuracy is best for 3 epochs: stop", "", "validation balanced_accuracy"),
        ("accuracy < .5: stop", "half_right@3fa9c1d2", "validation accuracy"),
    ],
)
def test_a_metric_that_is_not_treinos_is_a_figure(text: str, metric: str, figure: str) -> None:
    alert = alert_of(text, metric)
    assert alert.condition.clauses[0].figure == figure
    assert alert_of(str(alert), metric) == alert


def half_right(truth: Any, prediction: Any) -> float:
    return float((truth == prediction).mean()) / 2


def test_alerts_watch_the_metric_that_decides(tmp_path: Path) -> None:
    """By its name in the user's code, at the value that early stopping sees."""
    how: dict[str, Any] = {"epochs": 60, "lr": 0.01, "parent": tmp_path}
    run = tr.fit("wine", metric=half_right, alerts="half_right >= .45: stop", **how)
    assert run.status == "stopped"
    assert run.evaluations["validation"][run.settings["metric"]][-1] >= 0.45
    again = run.resume(alerts="half_right >= .5: stop")
    assert again.status in ("stopped", "finished")
    run = tr.fit("wine", metric="balanced_accuracy", alerts="balanced_accuracy > .8: stop", **how)
    assert run.status == "stopped"


def test_a_metric_that_does_not_decide_is_not_watched(tmp_path: Path) -> None:
    out = tmp_path / "runs"
    wrong = refusal_of(tr.fit, "wine", metric=half_right, alerts="half_rigt > .5: stop", parent=out)
    assert (wrong.rule, wrong.hint) == ("alert_figure", "Did you mean 'half_right'?")
    other = refusal_of(tr.fit, "wine", alerts="balanced_accuracy > .5: stop", parent=out)
    assert other.rule == "alert_metric"
    assert "metric='balanced_accuracy'" in other.hint
    assert not out.exists()


# ---- what holds when

figures = st.lists(st.sampled_from([0.0, 1.0, 1.001, 2.0, 3.0]), max_size=12)


def followed(clause: Clause, value_E: Sequence[float]) -> list[bool]:
    """Whether the clause holds after each epoch; an epoch has ten steps."""
    course, held = Course(clause, TrainingPlace(0, 0.0, 0.0)), []
    for k, value in enumerate(value_E, 1):
        course.see(TrainingPlace(10 * k, float(k), k / 2), value)
        held.append(course.holds)
    return held


def whole(way: str, count: int, value_E: Sequence[float]) -> bool:
    """Whether the clause holds after these epochs, by its definition in docs/alerts.md."""
    newest = list(value_E[-count:])
    if way == ">":
        return len(value_E) >= count and all(value > 1 for value in newest)
    if len(value_E) <= count:
        return False
    window = list(value_E[-count - 1 :])
    pairs = list(pairwise(window))
    if way == "rises":
        return all(b > a for a, b in pairs)
    if way == "falls":
        return all(b < a for a, b in pairs)
    if way == "stands still":
        return max(window) - min(window) <= 0.01 * max(map(abs, window))
    if way == BEST:
        return all(window[-1] < value for value in window[:-1])
    best = min(value_E[:-count])
    return all(value >= best for value in newest)


@given(way=st.sampled_from([">", *TRENDS, BEST, NOT_BEST]), count=st.integers(1, 4), value_E=figures)
def test_a_clause_holds_by_its_definition(way: str, count: int, value_E: list[float]) -> None:
    number = 1.0 if way == ">" else None
    for span in (
        Span(count, "epochs"),
        Span(10 * count, "steps"),
        *([Span(count / 2, "s")] if number else []),
    ):
        clause = Clause("validation loss", way, number, span)
        expected = [whole(way, count, value_E[:k]) for k in range(1, len(value_E) + 1)]
        assert followed(clause, value_E) == expected


@given(
    loss_S=st.lists(st.sampled_from([0.0, 2.0, 2.0]), min_size=1, max_size=14),
    cuts=st.sets(st.integers(1, 12)),
    count=st.integers(1, 5),
)
def test_losses_of_steps_are_seen_alike_however_they_come(
    loss_S: list[float], cuts: set[int], count: int
) -> None:
    course = Course(Clause(TRAINING, ">", 1.0, Span(count, "steps")), TrainingPlace(0, 0.0, 0.0))
    borders = sorted({0, *(cut for cut in cuts if cut < len(loss_S)), len(loss_S)})
    for first, stop in pairwise(borders):
        course.see_steps(first, TrainingPlace(stop, 0.0, 0.0), np.array(loss_S[first:stop], np.float32))
        reached = [
            k for k in range(first + 1, stop + 1) if k >= count and all(v > 1 for v in loss_S[k - count : k])
        ]
        assert course.holds == bool(reached)


def test_an_alert_fires_once_for_each_crossing() -> None:
    alert = alert_of("validation loss > 1: stop")
    course, fired = AlertCourse.begin(alert, TrainingPlace(0, 0.0, 0.0)), []
    for k, value in enumerate([0.5, 2, 2, math.nan, 0.5, 3, 3], 1):
        at = TrainingPlace(k, float(k), 0.0)
        course.courses[0].see(at, value)
        if course.crossed():
            course.fired(at)
            fired.append(k)
    assert fired == [2, 6]


# ---- what they do

SHORT: dict[str, Any] = {"epochs": 30, "patience": 0, "hidden": (8,), "lean": True}


def fit(parent: Path, *alerts: str, data: Any = "wine", **settings: Any) -> tuple[tr.Run, list[str]]:
    """The run, and what was said of its alerts."""
    told: list[str] = []

    def watch(event: Any) -> None:
        if isinstance(event, JobAlert):
            told.append(str(event.message))

    run = tr.fit(data, parent=parent, alerts=list(alerts), watch=watch, **SHORT | settings)
    assert isinstance(run, tr.Run)
    return run, told


def events(run: tr.Run, kind: str) -> list[dict[str, Any]]:
    return [event.facts for event in run.folder.database.events() if event.kind == kind]


def test_a_training_that_stops_goes_on_to_the_same_end(tmp_path: Path) -> None:
    text = "validation accuracy >= 0.9: stop"
    run, told = fit(tmp_path, "accuracy >= 90 %: stop", lean=False)
    assert run.status == "stopped"
    accuracy_E = [v for v in run.document["metrics"]["validation"].values() if v is not None]
    assert run.document["metrics"]["validation"]["accuracy"] >= 0.9, accuracy_E
    assert len(told) == 1
    assert told[0] in run.document["notes"]
    assert [facts["alert"] for facts in events(run, "alert")] == [text]
    assert events(run, "alerts") == [{"alerts": [text]}]
    plain, none = fit(tmp_path)
    assert not none
    again = run.resume(alerts=text)  # it holds already: no new crossing
    assert again.status == "finished"
    assert np.array_equal(again.losses, plain.losses)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("engine", ["lanes", "batched", "module"])
def test_what_is_set_is_a_command_and_is_played_again_without_alerts(tmp_path: Path, engine: str) -> None:
    run, told = fit(tmp_path, "epoch >= 10: lr*0.5 weight_decay=0.01", engine=engine, lr=0.01, keep="last")
    assert len(told) == 1
    found = [(c.name, c.value, c.step, c.sender) for c in run.folder.database.commands()]
    step = 10 * run.spec.steps_per_epoch
    assert found == [("lr", 0.005, step, "alert"), ("weight_decay", 0.01, step, "alert")]
    training = tr.train(
        tr.load("wine"), tr.mlp(8), engine=engine, lr=0.01, epochs=30, keep="last", every=step
    )
    losses = []
    for tick in training:
        losses.append(tick.loss_SP[:, 0].numpy())
        if tick.step == step:
            training.set("lr", 0.005)
            training.set("weight_decay", 0.01)
    assert np.array_equal(np.concatenate(losses), run.losses)
    assert verify(run).verdict == "equal"


@pytest.mark.slow
def test_a_training_goes_back_to_its_best_step_with_another_rate(tmp_path: Path) -> None:
    run, told = fit(tmp_path, "validation loss rises for 2 epochs: rewind lr*0.5", data="digits", lr=0.02)
    (segment, *_more) = (s for s in run.spec.segments or [] if s.origin is not None)
    assert "Back to step" in told[0]
    assert segment.sender == "alert"
    first, step = segment.origin
    values = [
        r.value for r in run.folder.database.epochs(first) if (r.split, r.metric) == ("validation", "loss")
    ]
    assert step == (int(np.argmin(values)) + 1) * run.spec.steps_per_epoch
    assert values[-1] > values[-2] > values[-3]
    assert [c.settings for c in run.changes if c.segment == segment.number] == [{"lr": 0.01}]
    assert run.status == "finished"
    assert verify(run).verdict == "equal"
    assert len([text for text in told if "Back to step" in text]) <= alert_actions.MOST_REWINDS


def test_who_follows_a_training_hears_of_each_segment_and_of_one_end(tmp_path: Path) -> None:
    kinds = list[str]()
    run = tr.fit("wine", parent=tmp_path, alerts="epoch >= 5: rewind lr*0.5",
                 watch=lambda event: kinds.append(type(event).__name__), **SHORT)  # fmt: skip
    assert kinds.count("JobStart") == len(run.spec.segments or []) > 1
    assert kinds.count("JobEnd") == 1


def test_a_stop_comes_before_a_return(tmp_path: Path) -> None:
    back, stop = "epoch >= 5: rewind lr*0.5", "epoch >= 5: stop"
    for texts in ([back, stop], [stop, back]):
        run, told = fit(tmp_path, *texts)
        done = ["Another alert stops it.", "The training stops."]
        assert sorted(text.partition("). ")[2] for text in told) == done
        assert run.status == "stopped"
        assert not run.spec.segments


def test_going_back_alone_takes_another_order_and_ends(tmp_path: Path) -> None:
    run, told = fit(tmp_path, "loss < 100: rewind", data="iris", epochs=6)
    assert [text.partition(". ")[2] for text in told] == [
        f"Back to step 0, with data_seed {n + 1}." for n in range(alert_actions.MOST_REWINDS)
    ] + ["It went back 3 times, and does so no more."]
    assert run.status == "finished"


SMALL: dict[str, Any] = {"net": "cnn", "channels": (4,), "epochs": 25}


def pictures(x: Any) -> TensorDataset:
    """Dataset of scikit-learn's digits, with these pictures ``[N, 8, 8]``."""
    return TensorDataset(torch.as_tensor(x).float(), torch.from_numpy(load_digits().target))


@pytest.mark.slow
def test_a_picture_training_no_better_than_a_constant_begins_again_at_half_of_its_own_rate(
    tmp_path: Path,
) -> None:
    """The pictures are blank, and differ only below float32's sight."""
    blank, own = pictures(np.random.default_rng(0).normal(0, 1e-9, (1797, 8, 8))), DEFAULTS["cnn"].lr
    run, told = fit(tmp_path, data=blank, **SMALL)
    assert [text.rpartition("Back to ")[2] for text in told[:3]] == [
        f"step 0, with lr {own / 2 ** (n + 1):g}." for n in range(alert_actions.MOST_REWINDS)
    ]
    assert all(f"treino chose the rate (lr={own:g} keeps it)" in text for text in told)
    assert [change.settings for change in run.timeline.asked] == [
        {"lr": own / 2 ** (n + 1)} for n in range(alert_actions.MOST_REWINDS)
    ]
    counts = np.bincount(run.data.train.y)
    constant = -np.log(counts[run.data.train.y] / counts.sum()).mean()
    assert all(loss >= 0.9995 * constant for loss in run.document["loss"]["train"])
    for theirs in ({"lr": own}, {"optimizer": "adam"}, {"epochs": 5}):
        run, told = fit(tmp_path, data=blank, **SMALL | theirs)
        assert not told
        assert not run.spec.segments


@pytest.mark.slow
def test_a_training_resumed_between_its_returns_ends_with_the_same_bits(tmp_path: Path) -> None:
    blank = pictures(np.random.default_rng(0).normal(0, 1e-9, (1797, 8, 8)))

    def interrupt(event: Any) -> None:
        if isinstance(event, JobProgress) and event.job.segment == 2:
            os.kill(os.getpid(), signal.SIGINT)

    asked = SHORT | SMALL | {"lean": False, "parent": tmp_path}
    whole_run = tr.fit(blank, name="whole", **asked)
    with pytest.raises(KeyboardInterrupt):
        tr.fit(blank, name="cut", watch=interrupt, **asked)
    found = tr.open("cut", parent=tmp_path)
    again = found.resume()
    assert np.array_equal(again.losses, whole_run.losses)
    assert again.changes == whole_run.changes


@pytest.mark.slow
def test_a_collapse_at_the_usual_rate_is_said_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        DEFAULTS, "cnn", replace(DEFAULTS["cnn"], lr=1.0)
    )  # at which its loss returns to the constant's
    digits = pictures(load_digits().images / 16)
    run, told = fit(tmp_path, data=digits, **SMALL | {"lean": False})
    assert re.search(
        r"treino chose the rate \(lr=1.0 keeps it\)\. Back to step \d+, with lr 0\.5\.$", told[0]
    )
    assert verify(run, digits).verdict == "equal"
    given, told = fit(tmp_path, data=digits, **SMALL | {"lr": 1.0})
    assert not told
    assert min(run.document["loss"]["train"]) < min(given.document["loss"]["train"])


@pytest.mark.slow
def test_a_finding_acts_on_its_way(tmp_path: Path) -> None:
    text = "finding lr_too_high: rewind lr*0.001"
    run, told = fit(tmp_path, text, lr=3.0, epochs=200, patience=20, hidden=(64, 32))
    assert "finding lr_too_high. Back to step" in told[0]
    assert run.spec.segments
    assert run.document["findings"] == []
    assert verify(run).verdict == "equal"


def test_the_gradient_s_norm_is_the_update_s(tmp_path: Path) -> None:
    """Of the last step's batch, by autograd, where the alert fired."""
    run, told = fit(tmp_path, "gradient norm > 0: stop", "epoch >= 0.1: stop")
    (facts,) = [f for f in events(run, "alert") if "gradient norm" in f["figures"]]
    moment = run.at(run.steps - 1)
    net, batch = moment.trained_net, moment.batch
    for parameter in net.parameters():
        parameter.requires_grad_(True)
    loss = moment.loss_function(net(batch.x_BD), moment.loss_function.target(batch.y_B, batch.x_BD.dtype))
    loss.backward()
    norm = math.sqrt(
        sum(float(p.grad.double().square().sum()) for p in net.parameters() if p.grad is not None)
    )
    assert facts["figures"]["gradient norm"] == pytest.approx(norm, rel=1e-4)
    assert len(told) == 2


@pytest.mark.slow
def test_alerts_that_never_fire_change_no_bit(tmp_path: Path) -> None:
    never = ["validation loss > 1e6: stop", "loss > 1e6 for 3 steps: lr*0.5", "gradient norm > 1e6: stop",
             "time spent > 900 h: stop", "lr > 1e3: stop",
             "finding duplicate_leakage: stop", "loss is not best for 9999 steps: stop", "lr > 1e3: stop",
             "gradient norm is nan: stop"]  # fmt: skip
    for more in ({}, {"validation": 0}, {"ensemble": 3, "recipe": "plain"}):
        plain, _none = fit(tmp_path, **more)
        run, told = fit(tmp_path, *(never[1:] if "validation" in more else never), **more)
        assert not told
        assert np.array_equal(run.losses, plain.losses)


@pytest.mark.parametrize("action", ["dropout*1.5", "rewind dropout*1.5"])
def test_a_factor_that_leads_out_of_range_sets_nothing_and_ends_nothing(tmp_path: Path, action: str) -> None:
    run, told = fit(tmp_path, f"epoch > 0 for 5 epochs: {action}", dropout=0.7)
    assert run.status == "finished"
    (message,) = told
    assert "dropout" in message.partition("(")[2]
    assert not run.changes


# ---- whom they tell

HOOK = """
import json, os, sys
facts = json.load(sys.stdin)
facts["environment"] = {k: v for k, v in os.environ.items() if k.startswith("TREINO_")}
json.dump(facts, open(sys.argv[1], "w"))
"""


def script(folder: Path, text: str) -> str:
    path = folder / "a hook.py"
    path.write_text(text)
    return f"notify {sys.executable} '{path}'"


def test_a_command_is_told_the_facts(tmp_path: Path) -> None:
    told_to = tmp_path / "told.json"
    run, told = fit(tmp_path, f"epoch >= 10: {script(tmp_path, HOOK)} {told_to}")
    facts = json.loads(told_to.read_text())
    assert facts["step"] == 10 * run.spec.steps_per_epoch
    assert facts["figures"] == {"epoch": 10.0}
    assert facts["message"] == told[0]
    assert Path(facts["path"]).samefile(run.path)
    assert facts["environment"]["TREINO_STEP"] == str(facts["step"])
    assert facts["environment"]["TREINO_ALERT"] == facts["alert"]


@pytest.mark.slow
def test_a_command_that_fails_or_hangs_is_said_once_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_actions, "HOOK_SECONDS", 0.5)
    fails = script(tmp_path, "import sys; sys.exit('no such room')")
    endless = ("loss < 1e6: notify sleep 600", "loss < 1e6: notify sh -c 'exec yes >&2'")
    run, told = fit(tmp_path, f"loss < 1e6 for 1 epoch: {fails}", *endless, epochs=300)
    assert run.status == "finished"
    assert sum("no such room" in text for text in told) == 1
    assert sum("took longer than 0.5 s" in text for text in told) == 2
    assert sum("Not told" in text for text in told) <= 3  # once of each
    plain, _none = fit(tmp_path, epochs=300)
    assert np.array_equal(run.losses, plain.losses)


@pytest.fixture
def server() -> Iterator[tuple[str, list[Any]]]:
    """A server on this machine: its address, and the JSON that it gets."""
    got: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if self.path == "/away":
                self.send_response(307)
                self.send_header("Location", "/")
            else:
                self.send_response(200 if self.path == "/" else 500)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{made.server_address[1]}", got
        made.shutdown()
        thread.join()


def test_an_address_is_told_where_that_is_allowed(tmp_path: Path, server: tuple[str, list[Any]]) -> None:
    address, got = server
    with pytest.raises(TreinoError, match="nobody has allowed") as caught:
        fit(tmp_path, f"epoch >= 10: notify {address}/")
    assert "allow_network" in caught.value.hint
    assert not list(tmp_path.glob("wine*"))
    _run, told = fit(tmp_path, f"epoch >= 10: notify {address}/", allow_network=True)
    assert [facts["message"] for facts in got] == told
    for place, why in (("broken", "500"), ("away", "307")):
        _run, told = fit(tmp_path, f"epoch >= 10: notify {address}/{place}", allow_network=True)
        assert len(got) == (2 if place == "broken" else 3)
        assert why in told[-1]


# ---- what can't be


IMPOSSIBLE: dict[str, tuple[str, dict[str, Any]]] = {
    "rmse < 1: stop": ("alert_task", {}),
    "accuracy > 0.9: stop ": ("alert_validation", {"validation": 0}),
    "loss > 1: dropout=0.3": ("dropout_without_layer", {}),
    "loss > 1: momentum=0.9": ("momentum_with_adam", {}),
    "loss > 1: lrr*0.5": ("alert_hyperparameter", {}),
    "loss > 1: rho*0.5": ("alert_hyperparameter", {"optimizer": "RMSprop"}),
    "loss > 1: rewind": ("alert_rewind", {"batch_size": "full"}),
    "loss > 1: notify no-such-command-here": ("alert_command", {}),
    "loss > 1: stop": ("alert_of_several", {"seeds": 2}),
}


@pytest.mark.parametrize("text", IMPOSSIBLE)
def test_what_a_training_can_t_do_is_refused_before_it(tmp_path: Path, text: str) -> None:
    rule, settings = IMPOSSIBLE[text]
    assert refusal_of(tr.fit, "wine", parent=tmp_path, alerts=[text], **settings).rule == rule
    assert not list(tmp_path.iterdir())


# ---- kills


@pytest.mark.slow
def test_a_killed_run_goes_on_with_its_alerts_as_if_nothing_had_been(tmp_path: Path) -> None:
    """Its alert had fired after the last checkpoint: what it did is done again, and once."""
    texts = ["epoch >= 10: lr*0.5", "epoch >= 20: lr*0.5"]

    def watch(event: Any) -> None:
        if isinstance(event, JobProgress) and event.tick.step >= 60:
            event.job.folder.database.flush()
            os.kill(os.getpid(), signal.SIGKILL)

    asked = SHORT | {"lean": False, "alerts": texts, "watch": watch, "name": "killed"}
    pid = in_a_child(lambda: tr.fit("wine", parent=tmp_path, **asked))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    whole_run, _told = fit(tmp_path, *texts, lean=False)
    found = tr.open("killed", parent=tmp_path)
    again = found.resume(alerts=texts)
    assert np.array_equal(again.losses, whole_run.losses)
    commands = [(c.name, c.value, c.step) for c in again.folder.database.commands()]
    assert commands == [(c.name, c.value, c.step) for c in whole_run.folder.database.commands()]
    assert len(events(again, "alert")) == 2


@pytest.mark.slow
def test_spans_are_counted_on_after_a_resume(tmp_path: Path) -> None:
    """As if the training had not been stopped between two of the alert's steps, or just at one."""
    text = "validation loss < 1e6 for 7 epochs: lr*0.9"
    whole_run, _told = fit(tmp_path, text, epochs=40)
    found = [(c.value, c.step) for c in whole_run.folder.database.commands()]
    assert len(found) == 3  # each second evaluation
    for epoch in (15, 20, 24):
        run, _told = fit(tmp_path, text, f"epoch >= {epoch}: stop", epochs=40, lean=False)
        again = run.resume(alerts=text)
        commands = again.folder.database.commands()
        assert [(c.value, c.step) for c in commands if c.name == "lr"] == found
        assert np.array_equal(again.losses, whole_run.losses)


def test_a_folder_s_alerts_are_text_and_nothing_of_it_is_done(tmp_path: Path) -> None:
    told_to = tmp_path / "told.json"
    run, _told = fit(
        tmp_path, f"epoch >= 20: {script(tmp_path, HOOK)} {told_to}", "epoch >= 10: stop", lean=False
    )
    assert not told_to.exists()
    assert "a hook.py" in events(run, "alerts")[0]["alerts"][0]
    assert run.resume().status == "finished"
    assert not told_to.exists()
