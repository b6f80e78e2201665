"""The page of a run in progress: it waits for the training's own state before it plays the run again."""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.waiting import HANG, until
from torch.utils.data import TensorDataset

import treino as tr
from apps.studio.tests.running import command
from treino.base.errors import TreinoError
from treino.folders.timeline import segments_of
from treino.settings.spec import read_settings
from treino.training.loop import JobStart
from treino.training.replay import snapshots
from treino.training.stored_results import open_run
from treino.training.train import RunJob, drain, train_events
from treino_studio.messages import ContinueRequest, PageMessage
from treino_studio.run_commands import VERBS, packed_state
from treino_studio.run_history import history
from treino_studio.run_page import RunPage
from treino_studio.trainer import Trainer


def watched(path: Path, send: Any = lambda _message, _body: None) -> RunPage:
    """The page of a run, which somebody watches."""
    page = RunPage(f"run/{path.name}", path, send)
    page.viewers = 1
    page.open()
    return page


class Curves:
    """The curves of a page's run, as a viewer who misses nothing has them."""

    def __init__(self) -> None:
        self.newest: dict[str, Any] = {"step": [], "loss": [], "epochs": [], "vitals": []}

    def take(self, message: PageMessage, _body: bytes) -> None:
        more = message.send.get("curves")
        if more is None or "left" in more:
            return
        grown = {name: self.newest[name][: more["from"]] + more[name] for name in ("step", "loss")}
        self.newest = {**more, **grown}


def test_the_newest_step_of_a_training_is_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treino_studio.run_page.AWAITED", HANG)
    events = train_events("wine", read_settings({"epochs": 500}), parent=tmp_path, lean=True)
    start = next(event for event in events if isinstance(event, JobStart))
    job = start.job
    assert isinstance(job, RunJob)
    frames: list[int] = []

    def send(message: PageMessage, _body: bytes) -> None:
        if message.frame is not None:
            frames.append(message.frame)

    page = watched(job.folder.path, send)
    page.tick()
    assert frames == []  # it is asked for, and not trained once more here
    assert page.playback.states == {}
    while not frames:
        next(events)
        page.tick()
    assert page.newest is not None
    assert page.newest.step > 0
    page.live.close()
    page.open()
    page._awaited = time.monotonic() - 1  # a training whose steps take longer
    shown = len(frames)
    while len(frames) == shown:
        page.tick()
    events.close()  # type: ignore[attr-defined]


@pytest.mark.slow
def test_the_last_stretch_of_the_curves_comes_when_a_training_ends(tmp_path: Path) -> None:
    events = train_events("wine", read_settings({"epochs": 30}), parent=tmp_path, lean=True)
    start = next(event for event in events if isinstance(event, JobStart))
    curves = Curves()
    page = watched(start.job.folder.path, curves.take)
    for _event in events:
        page.tick()
    run = tr.open(start.job.folder.path)
    until(lambda: page.tick() or len(curves.newest["loss"]) == run.steps)
    assert curves.newest["loss"] == pytest.approx(run.losses.tolist())
    assert curves.newest["epochs"][-1]["epoch"] == 30


@pytest.mark.slow
def test_what_a_rewind_leaves_is_no_vital_sign_any_more(tmp_path: Path) -> None:
    run, curves = tr.fit("wine", parent=tmp_path, epochs=10), Curves()
    page = watched(run.path, curves.take)
    for step in (4, 12, None):
        page.show_step(step)
    until(lambda: page.tick() or [each["step"] for each in curves.newest["vitals"]] == [4, 12, 40])
    run.rewind(8, epochs=5)
    until(lambda: page.tick() or len(curves.newest["loss"]) == 20)
    assert [each["step"] for each in curves.newest["vitals"]] == [4, 20]


@pytest.mark.slow
def test_a_way_that_was_left_is_listed_seen_again_and_gone_on_from(tmp_path: Path) -> None:
    """Each stretch with what was changed and its figures; to the bits with which it ended."""
    run, sent = tr.fit("wine", parent=tmp_path, epochs=20, lean=True), list[dict[str, Any]]()
    (before,), losses = snapshots(run, [80]), run.losses.tolist()
    run.rewind(40, lr=0.1)
    page = watched(run.path, lambda message, _body: sent.append(message.send))
    page.tick()
    newest = page._vitals.listed(page.run.spec)
    assert [each["step"] for each in newest] == [80]

    def state() -> dict[str, Any]:
        return next(each["state"] for each in sent[::-1] if "state" in each)

    stretches = [
        tuple(each[k] for k in ("segment", "first", "last", "text", "left")) for each in state()["history"]
    ]
    assert stretches == [(0, 0, 40, "", False), (0, 40, 80, "", True), (1, 40, 80, "lr 0.1", False)]
    measured = open_run(run.path).evaluations["validation"]
    assert state()["history"][-1]["figures"] == {name: measured[name][-1] for name in ("loss", "accuracy")}
    (left,) = [found for each in sent if "left" in (found := each.get("curves", {}))]
    assert (left["left"], left["step"]) == (0, [*range(1, 81)])  # a page that is opened later has its losses
    assert left["loss"] == pytest.approx(losses)
    VERBS["look"](page, command("look", segment=0))
    assert (page.look.step, state()["view"]["segment"], state()["segment"], state()["settings"]["lr"]) == (
        80,
        0,
        0,
        0.003,
    )
    assert state()["result"] is None, "that of the newest way is another one's"
    assert same(page.snapshot.net, before.net)
    signs = page._vitals.listed(page.run.spec)
    VERBS["look"](page, command("look", step=60, segment=0))
    VERBS["look"](page, command("look", step=20))
    assert page._vitals.listed(page.run.spec)[1:] == newest, "each way keeps what was measured on it"
    VERBS["look"](page, command("look", step=80, segment=0))
    assert [each["step"] for each in page._vitals.listed(page.run.spec)] == [20, 60, 80]
    assert page._vitals.listed(page.run.spec)[2:] == signs
    signs = page._vitals.listed(page.run.spec)
    for wrong, says in (({"segment": 7}, "no segment 7"), ({"segment": 0, "axes": ["x", "y"]}, "no feature")):
        with pytest.raises(TreinoError, match=says):
            VERBS["look"](page, command("look", **wrong))
    assert (page.look.segment, page._vitals.listed(page.run.spec)) == (0, signs)
    request = VERBS["segment"](page, command("segment", changes={"weight_decay": 0.1}))
    assert isinstance(request, ContinueRequest)
    assert (page.look.segment, page.look.step, page.run.latest) == (None, None, None)
    again = drain(Trainer(None)._events(request, request.state))  # type: ignore[arg-type]
    assert segments_of(again.spec)[-1].origin == (0, 80)
    assert again.steps == 160  # for as long again
    (there,) = snapshots(open_run(run.path), [80])
    assert same(there.net, before.net)
    assert there.loss == before.loss
    until(lambda: page.tick() or [each["left"] for each in state()["history"]] == [False, False, True, False])


def test_the_step_where_another_segment_begins_stays_in_view_until_it_has_begun(
    tmp_path: Path, frames: list[Any]
) -> None:
    """The end of the one before is not shown again, and nothing is said of it, whatever changes meanwhile."""
    sent: list[dict[str, Any]] = []
    run = tr.fit("wine", parent=tmp_path, epochs=20, lean=True)
    page = watched(run.path, lambda message, _body: sent.append(message.send))
    VERBS["look"](page, command("look", step=40))
    VERBS["set"](page, command("set", name="lr", value=0.1))
    shown, said = len(frames), len(sent)
    os.utime(run.path / "manifest.json")
    page.tick()
    assert frames[-1][0]["step"] == 40
    assert (len(frames), [each for each in sent[said:] if "state" in each]) == (shown, [])
    run.rewind(40, lr=0.1)
    until(lambda: page.tick() or len(frames) > shown)
    assert frames[shown][0]["segment"] == 1


def test_a_network_that_says_nothing_agrees_with_no_picture(tmp_path: Path, frames: list[Any]) -> None:
    run = tr.fit("wine", parent=tmp_path, optimizer="sgd", lr=1e5, epochs=20, lean=True)
    watched(run.path)
    header = frames[-1][0]
    assert header["right"]["right"] == 0
    assert "agreement" not in header


@pytest.mark.slow
def test_the_trainer_goes_on_from_the_replayed_state_and_never_from_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state of a later step, or of a way that was left, changes no bit."""
    run = tr.fit("wine", parent=tmp_path, epochs=20, lean=True)
    left = next(snapshots(run, [60]))
    run = run.rewind(40, lr=0.1)
    page, begun = watched(run.path), list[dict[str, torch.Tensor]]()
    VERBS["look"](page, command("look", step=60))
    request = VERBS["branch"](page, command("branch", changes={"weight_decay": 0.1}))
    assert isinstance(request, ContinueRequest)
    others = (packed_state(each) for each in (left, *snapshots(run, [30, 50, 70])))
    for state in (request.state, b"", *others):
        with monkeypatch.context() as patch:
            if state == request.state:
                patch.setattr("treino.training.replay.set_near", None)  # it would be called for a replay
            events = Trainer(None)._events(request, state)  # type: ignore[arg-type]
        begun.append(next(event for event in events if isinstance(event, JobStart)).job.training.save()[0])
        events.close()  # type: ignore[attr-defined]
    assert all(torch.equal(begun[0][name], each[name]) for each in begun[1:] for name in begun[0])


def test_a_page_that_has_to_train_for_long_says_so_and_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, notices = tr.fit("wine", parent=tmp_path, epochs=20, lean=True), list[str]()

    def hear(message: PageMessage, _body: bytes) -> None:
        if "notice" in message.send:
            notices.append(message.send["notice"]["text"])

    page = watched(run.path, hear)
    VERBS["look"](page, command("look", step=60))
    assert notices == []
    monkeypatch.setattr("treino.training.replay.LONG_SECONDS", 0.0)
    monkeypatch.setattr("treino.training.replay.NEAR_SECONDS", 0.0)  # it stops after each step
    monkeypatch.setattr("treino_studio.run_page.TOLD", -1.0)
    for step in (50, 60):  # the state of step 60 is known by now
        VERBS["look"](page, command("look", step=step))
    *said, end = notices
    begin = "wine-1 is trained again up to step 50, whose state is not kept. It is at step "
    reached = [int(text.removeprefix(begin).removesuffix(".")) for text in said]
    assert reached == sorted(reached)
    assert reached[0] < reached[-1] < 50
    assert end == "wine-1 has reached step 50 again."


def test_a_step_that_is_not_reached_yet_can_be_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, notices = tr.fit("wine", parent=tmp_path, epochs=20, lean=True), list[str]()

    def hear(message: PageMessage, _body: bytes) -> None:
        notices.extend(message.send.get("notice", {}).values())

    page = watched(run.path, hear)
    VERBS["look"](page, command("look", step=20))
    monkeypatch.setattr("treino.training.replay.LONG_SECONDS", 0.0)
    monkeypatch.setattr("treino.training.replay.NEAR_SECONDS", 0.0)
    asked = iter([False, False, True])
    page.looks_elsewhere = lambda: next(asked)
    with pytest.raises(TreinoError) as left:
        VERBS["look"](page, command("look", step=70))
    assert left.value.rule == "replay_left"
    assert page.look.step == page.step_in_view == 20
    assert "wine-1 is not trained again up to step 70: another step is wanted." in notices
    page.looks_elsewhere = lambda: False
    VERBS["look"](page, command("look", step=70))
    assert page.snapshot is not None
    assert (page.snapshot.step, page.snapshot.loss) == (70, run.at(70).loss)


def test_all_that_was_changed_at_one_step_is_told_together(tmp_path: Path) -> None:
    run = tr.fit("wine", parent=tmp_path, epochs=10, lean=True).rewind(20, lr=0.1).rewind(20, batch_size=64)
    told = [(each["segment"], each["text"]) for each in history(run, None, {}) if not each["left"]]
    assert told == [(0, ""), (2, "lr 0.1 · batch_size 64")]


def test_a_stretch_tells_the_step_of_its_figures_and_none_of_another_stretch(tmp_path: Path) -> None:
    run = tr.fit("wine", parent=tmp_path, epochs=40, patience=0).rewind(50, lr=0.01)
    each, without = run.spec.steps_per_epoch, 0
    for stretch in history(run, 50 + each // 4, {}) + history(run, None, {}):
        measured = run.up_to(stretch["segment"]).evaluations["validation"]
        known = {k * each: k for k, value in enumerate(measured["loss"], 1) if value is not None}
        step = max((at for at in known if stretch["first"] < at <= stretch["last"]), default=None)
        without += step is None
        assert stretch["measured"] == step, stretch
        of_step = {} if step is None else {m: measured[m][known[step] - 1] for m in ("loss", "accuracy")}
        assert stretch["figures"] == of_step
    assert without


@pytest.mark.slow
def test_a_run_has_the_same_letter_on_every_page(tmp_path: Path) -> None:
    first = tr.fit("wine", parent=tmp_path, epochs=2, lean=True)
    second = first.at(4).branch(epochs=3)
    third = second.at(6).branch(epochs=4)
    runs = [first, second, third]
    pages = [RunPage(f"run/{run.path.name}", run.path, lambda _message, _body: None) for run in runs]
    for page in pages:
        for run in runs:
            if run.path != page.path:
                VERBS["beside"](page, command("beside", run=run.name, shown=True))
        letters = {each["run"]: each["letter"] for each in page.beside.listed(page.run)}
        assert letters | {page.path.name: page.beside.letter} == dict(
            zip([run.path.name for run in runs], "ABC", strict=True)
        )


def same(net: torch.nn.Module, other: torch.nn.Module) -> bool:
    pairs = zip(net.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.slow
def test_training_accuracy_comes_also_of_steps_that_nobody_has_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treino.training.replay.NEAR_SECONDS", HANG)  # however slow this machine is
    run, curves = tr.fit("wine", parent=tmp_path, epochs=10), Curves()
    page = watched(run.path, curves.take)
    until(lambda: not page.idle(0.01))
    until(lambda: page.tick() or len(curves.newest["vitals"]) == run.steps + 1)
    rows = run.data.train
    for vital in curves.newest["vitals"][::8]:
        answers = run.at(vital["step"]).net(rows.x).argmax(1)
        assert vital["train"]["accuracy"] == pytest.approx(float((answers == rows.y).float().mean()))
    assert all(vital["gradient_norm"] > 0 for vital in curves.newest["vitals"][:-1])


def test_the_page_of_an_ensemble_answers_as_all_and_shows_the_units_of_one(
    tmp_path: Path, frames: list[Any]
) -> None:
    run = tr.fit("iris", parent=tmp_path, ensemble=4, epochs=10)
    page = watched(run.path)
    page.show_step(30)
    (header, parts), moment = frames[-1], run.at(30)
    assert header["step"] == 30
    train = page.sight(moment).rows_by_split["train"][0]
    assert parts["predicted.train"].tolist() == moment.net(train.x).argmax(1).tolist()
    assert len(header["layers"]) == 4  # the inputs and the layers of one network
    weight = moment.member_net[0].weight.detach().numpy()
    units, inputs = header["layers"][1]["units"], header["layers"][0]["units"]
    assert parts["weight.1"].tolist() == weight[np.ix_(units, inputs)].tolist()


@pytest.mark.slow
def test_the_reader_chooses_whose_weights_are_drawn(tmp_path: Path, frames: list[Any]) -> None:
    run = tr.fit("iris", parent=tmp_path, ensemble=4, epochs=10)
    page = watched(run.path)
    page.tick()
    moment = run.at(run.steps)
    weights = []
    for member in range(4):
        VERBS["look"](page, command("look", member=member))
        (header, parts), net = frames[-1], run.at(run.steps).run.member(member).at(run.steps).member_net
        units, inputs = header["layers"][1]["units"], header["layers"][0]["units"]
        weights.append(parts["weight.1"].tolist())
        assert weights[-1] == net[0].weight.detach().numpy()[np.ix_(units, inputs)].tolist()
        train = page.sight(moment).rows_by_split["train"][0]
        assert parts["predicted.train"].tolist() == moment.net(train.x).argmax(1).tolist()  # all answer
        state = page._state(page.run, "en")
        assert run.result is not None
        assert state["ensemble"] == {"size": 4, "answering": list(run.result.answering), "drawn": member}
    assert len({str(weight) for weight in weights}) == 4
    with pytest.raises(TreinoError, match="no member 4"):
        VERBS["look"](page, command("look", member=4))
    assert page.look.member == 3


def test_a_finding_says_which_setting_can_be_tried(tmp_path: Path) -> None:
    run = tr.fit("wine", parent=tmp_path, epochs=40, lr=3.0, optimizer="sgd")
    page = watched(run.path)
    (finding,) = page._state(page.run, "en")["findings"]
    assert finding["rule"] == "lr_too_high"
    assert finding["remedy"] == {"text": "lr 0.003", "step": 0}
    assert finding["remedy"]["text"].replace(" ", "=") in finding["fix"]  # what it says in words
    VERBS["fan"](page, command("fan", kind="remedy", rule=finding["rule"], count=2, steps=8))
    assert page.futures == [{"epochs": 80}, {"epochs": 80, "lr": 0.003}]


def test_what_broke_the_weights_is_tried_from_before(tmp_path: Path) -> None:
    run = tr.fit("wine", parent=tmp_path, epochs=40, lr=1e7, optimizer="sgd")
    page = watched(run.path)
    remedies = [f["remedy"] for f in page._state(page.run, "en")["findings"] if f["remedy"] is not None]
    assert remedies
    assert all(remedy["step"] == 0 for remedy in remedies)  # it had no ten steps
    asked = command("fan", kind="remedy", rule="lr_too_high", count=2, steps=8, step=0)
    VERBS["fan"](page, asked)
    assert page.fan_step == 0
    assert page.futures[0] == {}


def test_a_convolution_s_kernels_and_units_are_drawn(tmp_path: Path, frames: list[Any]) -> None:
    settings = {"net": "cnn", "channels": [4, 6], "hidden": [6], "steps": 3}
    rows = TensorDataset(torch.rand(80, 1, 8, 8), torch.arange(80) % 2)
    run = tr.fit(rows, parent=tmp_path, **settings)
    page = RunPage("run/it", run.path, lambda _message, _body: None)
    page.viewers = 1
    page.open()
    page.show_step(3)
    header, parts = frames[-1]
    assert [layer["total"] for layer in header["layers"]][:2] == [4, 6]
    kernel_UHW = run.at(3).net[0].weight.detach().numpy()[:, 0]
    scaled = 128 + 127 * kernel_UHW / np.abs(kernel_UHW).max(axis=(1, 2), keepdims=True)
    np.testing.assert_array_equal(parts["tile.1"][:, 0], np.round(scaled).astype(np.uint8))
