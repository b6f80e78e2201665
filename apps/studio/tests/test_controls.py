"""Every control of a run's page in a real browser, by the name that it has for who reads with other means:
what it changes is in the run's folder."""

import io
import re
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from tests.plots.browser import chromium
from tests.waiting import until

import treino
from apps.studio.tests.real_studio import RealStudio, commands, real_studio
from treino.folders.stored_run import StoredRun
from treino.folders.timeline import segments_of
from treino.training.replay import snapshots
from treino.training.stored_results import open_run

pytestmark = pytest.mark.release

WORDS = (
    "wine --features alcohol,color_intensity --hidden 6,4 --epochs 400 --optimizer sgd --momentum 0.5"
    " --dropout 0.1 --paused"
)
OTHERS = {  # controls of the page that change nothing about a run
    "PT, the page in Portuguese", "Dark or light", "Help", "Microscope", "Close", "Automatic", "Across", "Up",
    "Layer", "From", "To", "Go to step #", "Open it", "Smoothing", "log",
    "See the kept weights, step #", "Try #", "a stretch",
}  # fmt: skip
ROLES = "button|combobox|slider|textbox|switch|checkbox|spinbutton"


@dataclass
class Walk:
    """A page that is steered. segment: the newest of its run. used: names of controls that were used; seen:
    of those that could be."""

    studio: RealStudio
    page: Any
    run: str = "wine-1"
    segment: int = 0
    used: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Note which controls there are."""
        text = self.page.locator("body").aria_snapshot()
        found = re.findall(rf'^\s*- \W?(?:{ROLES}) "(.+?)"', text, re.MULTILINE)  # quoted if it has a colon
        self.seen |= {kind_of(each) for each in found}

    def control(self, role: str, name: str) -> Any:
        self.look()
        self.used.add(kind_of(name))
        return self.page.get_by_role(role, name=name, exact=True)

    def press(self, name: str) -> None:
        self.control("button", name).click()

    def choose(self, name: str, option: str) -> None:
        self.control("combobox", name).select_option(label=option)

    def at(self, step: int) -> None:
        """Wait until the page shows this step."""
        shown = re.compile(f"^{step:,}$".replace(",", r"\D"))
        self.page.locator("#clock-step", has_text=shown).wait_for()

    def shows(self, role: str, name: str, value: str) -> None:
        """Wait until a control has this value: the page knows then what was changed."""
        control = self.control(role, name)
        self.wait(lambda: control.input_value() == value)

    def wait(self, event: Callable[[], bool]) -> None:
        """... while the page goes on."""
        until(event, meanwhile=lambda: self.page.wait_for_timeout(10))

    def record(self, true: Callable[[StoredRun], Any]) -> StoredRun:
        return self.studio.until(self.run, true)

    def asked(self, *last: tuple[str, Any]) -> None:
        """Wait until these are the newest commands of the run."""
        self.record(lambda run: commands(run)[-len(last) :] == list(last))

    def opens(self, step: int, **changed: Any) -> None:
        """Wait for another segment, from this step on, that changes these settings and no others."""
        self.segment += 1
        run = self.record(
            lambda run: segments_of(run.spec)[-1].number == self.segment and run.status == "running"
        )
        origin = segments_of(run.spec)[-1].origin
        assert origin is not None
        assert origin[1] == step
        assert run.changes[-1].settings == changed
        self.at(step)


def kind_of(name: str) -> str:
    """The name without its number or run: there may be many of a kind."""
    name = re.sub(r"(.* · )?\bwine-\d( · .*)?$", "run #", re.sub(r"\bwine-\d no more", "run # no more", name))
    name = re.sub(r"^(Go on with|Try) .*", r"\1 #", re.sub(r"\d+", "#", name))
    return re.sub(".*step # to #.*", "a stretch", name)


def test_every_control_changes_the_record_of_the_run(tmp_path: Path) -> None:
    treino.fit(
        "diabetes", features=["bmi", "bp"], hidden=(4,), epochs=2, parent=tmp_path / "runs", name="bmi"
    )
    with real_studio(tmp_path, WORDS.split()) as studio, chromium() as browser:
        walk = Walk(studio, studio.open(browser))
        play_control(walk)
        live_settings(walk)
        choices(walk)
        layers(walk)
        faults_and_seed(walk)
        time_machine(walk)
        branches(walk)
        futures(walk)
        end(walk)
        copies(walk)
        another_run(walk)
    assert walk.used <= walk.seen  # it sees them
    assert walk.seen - walk.used - OTHERS == set()
    assert studio.said == []
    run = open_run(tmp_path / "runs" / "wine-1")
    (again,) = snapshots(run, [run.steps])
    assert again.loss == float(run.losses[-1])


def play_control(walk: Walk) -> None:
    """Steps, epochs' ends, speed, play and pause."""
    walk.at(0)
    walk.press("Step")
    walk.at(1)
    walk.press("Epoch")
    walk.at(4)
    walk.asked(("step", 1), ("epoch", 1))
    walk.choose("Speed", "10 steps/s")
    walk.asked(("speed", 10))
    begin = time.monotonic()
    walk.press("Play")
    walk.page.locator("#clock-step", has_text=re.compile("^([6-9]|..+)$")).wait_for()
    walk.press("Pause")
    walk.page.get_by_role("status").get_by_text("paused").wait_for()
    walk.asked(("play", None), ("pause", None))
    step = int(walk.page.inner_text("#clock-step"))
    assert 6 <= step <= 4 + 10 * (time.monotonic() - begin) + 1
    walk.press("full speed")
    walk.asked(("speed", None))


def live_settings(walk: Walk) -> None:
    """What changes from the next step on: commands at this step."""
    step = int(walk.page.inner_text("#clock-step"))
    rate = walk.control("textbox", "Learning rate")
    rate.fill("0,02")
    rate.press("Enter")
    walk.asked(("lr", 0.02))
    slider = walk.control("slider", "Learning rate, as a slider")
    slider.fill("-1.5")
    walk.asked(("lr", 0.032))
    places = {"Weight decay": 15, "Momentum": 0.8, "Dropout": 0.25, "Gradient clipping": 30}
    sent = {"weight_decay": 0.0001, "momentum": 0.8, "dropout": 0.25, "clip": 1.0}
    for (name, place), command in zip(places.items(), sent.items(), strict=True):
        walk.control("slider", name).fill(str(place))
        walk.asked(command)
    obeyed = [each for each in walk.studio.run("wine-1").changes if each.settings.keys() & sent]
    assert {each.step for each in obeyed} == {step}
    walk.press("Step")
    walk.at(step + 1)
    walk.page.wait_for_selector("#forks .steered", state="attached")


def choices(walk: Walk) -> None:
    """Batch size, optimizer and what it reads, schedule, activation."""
    step = int(walk.page.inner_text("#clock-step"))
    walk.choose("Batch size", "16")
    walk.opens(step, batch_size=16)
    walk.shows("combobox", "Batch size", "16")
    walk.choose("Optimizer", "adam")
    walk.opens(step, optimizer="adam")
    assert walk.studio.run("wine-1").timeline.settings_at()["momentum"] == 0.0  # which it doesn't read
    walk.shows("combobox", "Optimizer", "adam")
    walk.control("slider", "Beta 1").fill("0.8")
    walk.asked(("beta1", 0.8))
    walk.control("slider", "Beta 2").fill("30")
    walk.asked(("beta2", 0.99))
    walk.press("Step")
    walk.at(step + 1)
    walk.choose("Schedule", "cosine")
    walk.opens(step + 1, schedule="cosine")
    walk.shows("combobox", "Schedule", "cosine")
    walk.choose("Activation", "tanh")
    walk.opens(step + 1, activation="tanh")
    walk.shows("combobox", "Activation", "tanh")
    epochs = walk.control("textbox", "Epochs")
    epochs.fill("300")
    epochs.press("Enter")
    walk.opens(step + 1, epochs=300)


def layers(walk: Walk) -> None:
    """Units and layers, by the buttons and by typing."""
    step = int(walk.page.inner_text("#clock-step"))
    for name, hidden, typed in (
        ("One more: Units of layer 0", [7, 4], None),
        ("One less: Units of layer 1", [7, 3], None),
        ("One more: Hidden layers", [7, 3, 3], None),
        ("Units of layer 0", [5, 3, 3], "5"),
        ("One less: Hidden layers", [5, 3], None),
        ("Hidden layers", [5, 3, 3], "3"),
    ):
        if typed is None:
            walk.press(name)
        else:
            units = walk.control("textbox", name)
            units.fill(typed)
            units.press("Enter")
        walk.opens(step, hidden=hidden)
        walk.shows("textbox", "Hidden layers", str(len(hidden)))
        for layer, count in enumerate(hidden):
            walk.shows("textbox", f"Units of layer {layer}", str(count))


def faults_and_seed(walk: Walk) -> None:
    """Both faults, on and off; a new seed begins at step 0."""
    step = int(walk.page.inner_text("#clock-step"))
    walk.page.get_by_text("As it is taught").click()
    zero_grad, softmax = "missing_zero_grad", "softmax_before_cross_entropy"
    for name, faults, on in (
        ("zero_grad forgotten", [zero_grad], True),
        ("softmax twice", [zero_grad, softmax], True),
        ("zero_grad forgotten", [softmax], False),
        ("softmax twice", [], False),
    ):
        switch = walk.control("switch", name)
        switch.click()
        walk.opens(step, fault=faults)
        walk.page.locator(f"[role=switch][aria-checked={str(on).lower()}]", has_text=name).wait_for()
    walk.press("New seed")
    walk.opens(0, seed=1)
    walk.page.get_by_text("Seed 1: a new training waits at step 0.").wait_for()


def time_machine(walk: Walk) -> None:
    """A change in the past goes on from there; Now shows the newest step again."""
    for _epoch in range(3):
        walk.press("Epoch")
    walk.asked(*3 * [("epoch", 1)])
    walk.at(12)
    walk.control("slider", "Time machine").fill("4")
    walk.at(4)
    walk.press("Now")
    walk.at(12)
    walk.control("slider", "Time machine").fill("5")
    walk.at(5)
    rate = walk.control("textbox", "Learning rate")
    rate.fill("0.01")
    rate.press("Enter")
    walk.opens(5, lr=0.01)


def branches(walk: Walk) -> None:
    """A second run, which is shown beside this one, steered and taken away."""
    walk.press("Branch")
    branch = walk.studio.until("wine-2", lambda run: run.spec.parent is not None)
    assert branch.spec.parent is not None
    assert (branch.spec.parent.run, branch.spec.parent.step) == ("wine-1", 5)
    walk.press("from step 5 · wine-2")
    walk.page.wait_for_url("**/run/wine-2")
    walk.at(5)
    walk.press("Step")
    walk.studio.until("wine-2", lambda run: commands(run)[-1:] == [("step", 1)])
    walk.at(6)
    walk.press("Stop")
    walk.studio.until("wine-2", lambda run: run.status == "stopped" and len(run.losses) == 6)
    walk.press("wine-1")
    walk.page.wait_for_url("**/run/wine-1")
    walk.at(5)
    walk.press("Show wine-2 no more")
    walk.page.locator("#tabs button").first.wait_for(state="detached")


def futures(walk: Walk) -> None:
    """A future that is picked is the run's next segment, or another run."""
    walk.press("Fan out")
    walk.choose("What differs between the futures", "batch sizes")
    walk.choose("What a chosen future becomes", "in this run")
    pick(walk, "batch_size 8")
    walk.opens(5, batch_size=8)
    walk.press("Fan out")
    walk.choose("What differs between the futures", "learning rates")
    walk.choose("What a chosen future becomes", "as a branch")
    pick(walk, "lr 0.001")
    branch = walk.studio.until("wine-3", lambda run: run.spec.parent is not None)
    assert branch.changes[-1].settings == {"lr": 0.001}
    walk.press("Show wine-3 no more")


def pick(walk: Walk, future: str) -> None:
    button = walk.page.get_by_role("button", name=re.compile(f"^Go on with {future}:"))
    button.wait_for()
    walk.look()
    walk.used.add("Go on with #")
    button.click()


def end(walk: Walk) -> None:
    """Stop ends and seals the run; Play goes on with it, at the speed that was chosen."""
    walk.choose("Speed", "60 steps/s")
    walk.asked(("speed", 60))
    walk.press("Stop")
    walk.record(lambda run: run.status == "stopped")
    walk.page.get_by_role("status").get_by_text("stopped").wait_for()
    walk.press("Play")
    walk.record(lambda run: "resumed" in {event.kind for event in run.folder.database.events()})
    walk.page.get_by_role("button", name="Pause", exact=True).wait_for()
    walk.press("Stop")
    run = walk.record(lambda run: run.status == "stopped")
    assert commands(run)[-1] == ("stop", None)
    walk.at(run.steps)
    walk.page.get_by_role("status").get_by_text("stopped").wait_for()


def copies(walk: Walk) -> None:
    """What is kept and what is taken along is what the folder holds."""
    walk.press("Save")
    walk.control("textbox", "Keep this run under a name").fill("kept")
    walk.press("Keep")
    kept = walk.studio.until("kept", lambda run: run.status == "stopped")
    run = walk.studio.run("wine-1")
    assert kept.folder.read_bytes("model.safetensors") == run.folder.read_bytes("model.safetensors")
    assert kept.losses.tolist() == run.losses.tolist()
    (weights,) = downloaded(walk, "Weights safetensors, for any program").values()
    taken, own = safetensors.torch.load(weights), run.module.state_dict()
    assert all(torch.equal(taken[name], tensor) for name, tensor in own.items())
    walk.press("Save")
    walk.press("The command that trains the same as text")
    text = walk.page.get_by_role("dialog").inner_text()
    assert run.spec.command in text
    walk.page.keyboard.press("Escape")


def downloaded(walk: Walk, *names: str) -> dict[str, bytes]:
    """What is saved when these are pressed, each made while the others are; by the names of the files."""
    found: list[Any] = []

    def saved(file: Any) -> None:
        found.append(file)

    walk.page.on("download", saved)
    for name in names:
        walk.press("Save")
        walk.press(name)
    walk.wait(lambda: len(found) == len(names))
    walk.page.remove_listener("download", saved)
    return {file.suggested_filename: Path(file.path()).read_bytes() for file in found}


def another_run(walk: Walk) -> None:
    """One of the folder's that was finished before: its files, and then another loss."""
    walk.page.goto(f"{walk.studio.site}run/bmi")
    walk.page.wait_for_selector("main[data-frame]")
    files = downloaded(
        walk,
        "PyTorch script plain, without treino",
        "Report one HTML page",
        "Film as GIF boundary and curves",
    )
    packed = zipfile.ZipFile(io.BytesIO(files["bmi-script.zip"]))
    (program,) = [name for name in packed.namelist() if name.endswith(".py")]
    compile(packed.read(program), program, "exec")
    assert all(name in files["bmi.html"].decode() for name in ("bmi", "bp", "diabetes"))
    assert files["bmi.gif"].startswith(b"GIF89a")
    step, walk.run, walk.segment = walk.studio.run("bmi").steps, "bmi", 0
    walk.choose("Loss", "l1")
    run = walk.record(lambda run: segments_of(run.spec)[-1].number == 1 and run.status == "running")
    segment = segments_of(run.spec)[-1]
    assert segment.origin == (0, step)
    assert run.changes[-1].settings["loss"] == "l1"
    walk.press("Stop")
    walk.record(lambda run: run.status == "stopped")
