"""What each door says of a run's settings: ``treino show``, the report, Python, the page, the script.

A door takes a run, the settings with which it began, and steps. It yields names of what it says, each with
the settings that it says to hold for the next update after each of the steps.
"""

import ast
import contextlib
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from tempfile import TemporaryFile
from typing import Any

import torch
from torch import Tensor

from tests.reports.export_cases import said
from tests.workflows.steered_run import plain_settings
from treino.cli import main
from treino.folders.store.output_files import OutputFile
from treino.folders.stored_run import StoredRun
from treino.folders.timeline import segments_of
from treino.reports.export.script import script, script_parts
from treino.reports.report import report
from treino.training.replay import Snapshot, snapshots

Settings = Mapping[str, Any]
Told = Iterator[tuple[str, Mapping[int, Settings]]]
Door = Callable[[StoredRun, Settings, Sequence[int]], Told]


def value_of(name: str, value: Any) -> Any:
    """A value in the form in which the tests write it."""
    if name == "fault":
        names = value.strip("–").replace("none", "").split(", ") if isinstance(value, str) else value
        return tuple(each for each in names if each)
    if isinstance(value, str):
        with contextlib.suppress(ValueError, SyntaxError):
            value = ast.literal_eval(value)
    return None if value in ("none", "–", math.inf) else value


def plain(settings: Settings) -> dict[str, Any]:
    return plain_settings({name: value_of(name, value) for name, value in settings.items()})


def folded(
    first: Settings, changes: Iterable[tuple[int, Settings]], steps: Sequence[int]
) -> dict[int, Settings]:
    """The settings at each step, of changes that each hold from a step on; the last of one step wins."""
    told = {step: dict(first) for step in steps}
    for since, settings in changes:
        for step in steps:
            told[step] |= plain(settings) if step >= since else {}
    return dict(told)


def of_text(text: str, apart: str) -> dict[str, Any]:
    """The settings of a text such as ``lr 0.01, clip none``."""
    pairs = (part.partition(" ") for part in text.split(apart) if part)
    return {name: value for name, _space, value in pairs}


# ---- the timeline, the command line, the report


def timeline(run: StoredRun, first: Settings, steps: Sequence[int]) -> Told:
    """The one reader of the table of changes."""
    yield "timeline, settings", {step: plain(run.timeline.settings_at(step)) for step in steps}
    changes = ((change.step, change.settings) for change in run.timeline.changes())
    yield "timeline, changes", folded(first, changes, steps)


def shown(run: StoredRun, first: Settings, steps: Sequence[int]) -> Told:
    """``changes`` and ``settings`` of ``treino show --json``: the second are those after the last step."""
    document = printed("show", run.path, "--json")
    changes = ((each["step"], each["settings"]) for each in document["changes"])
    yield "show --json, changes", folded(first, changes, steps)
    yield "show --json, settings", {steps[-1]: plain(document["settings"])}


def printed(*words: object) -> Any:
    """The document that a command prints."""
    with TemporaryFile("w+") as file:  # the command looks at its descriptor
        with contextlib.redirect_stdout(file):
            assert main([str(word) for word in words]) == 0
        file.seek(0)
        return json.load(file)


SENTENCE = re.compile(r"From step ([\d,]+) on: (.*) \(by an? \w+\)\.")
ROW = re.compile(r"^\| (\w+) \| (.+) \| .+ \| --", re.M)


def reported(run: StoredRun, first: Settings, steps: Sequence[int]) -> Told:
    """The sentences of the report, which ``treino show`` says too, and its table of settings."""
    place = OutputFile(run.path.parent / "report.md", (".md",), replace=True)
    text = report([run], place, as_markdown=True).read_text().replace("\\", "")
    sentences = ((int(since.replace(",", "")), words) for since, words in SENTENCE.findall(text))
    changes = ((since, of_text(words, ", ")) for since, words in sentences if not words.endswith(" again"))
    yield "report, sentences", folded(first, changes, steps)
    yield "report, settings", {steps[-1]: plain(dict(ROW.findall(text)))}


# ---- a run in Python


def without_schedule(settings: Settings, moment: Snapshot) -> dict[str, Any]:
    """The settings with lr as it was set, while a moment has it times the schedule's factor; without it where
    that is 0."""
    ((factor,),) = moment.plan.factors(moment.step, moment.step + 1)
    rest = {name: value for name, value in settings.items() if name != "lr"}
    return rest | ({"lr": settings["lr"] / factor} if factor else {})


def opened(run: StoredRun, first: Settings, steps: Sequence[int]) -> Told:
    """The changes and the settings of the run, and its moments."""
    changes = ((each.step, each.settings) for each in run.changes)
    yield "run, changes", folded(first, changes, steps)
    yield "run, settings", {steps[-1]: plain(run.settings)}
    moments = list(snapshots(run, steps))
    yield "moments, hp", {each.step: plain(without_schedule(each.hp, each)) for each in moments}
    yield "moments, settings", {each.step: plain(each.settings) for each in moments}


# ---- the page


def page(run: StoredRun, first: Settings, steps: Sequence[int]) -> Told:
    """The fields of the studio's page at each step, its planned end, the marks over its time line, and the
    stretches to go back to, without those that were left."""
    states = page_states(run, sorted({steps[0], *steps[-3:]}))  # each takes as long as ten steps of training
    yield "page, fields", {step: plain(state["settings"]) for step, state in states.items()}
    state = states[steps[-1]]
    yield "page, planned", {steps[-1]: {"steps": state["planned_steps"]}}
    marks = [(mark["step"], of_text(mark["text"], " · ")) for mark in state["marks"]]
    yield "page, marks", folded(first, marks, steps)
    if run.latest is None:
        way = [each for each in state["history"] if not each["left"]]
        stretches = sorted((each["first"], each["segment"], each["text"]) for each in way)
        changes = ((begin, of_text(text, " · ")) for begin, _segment, text in stretches)
        yield "page, history", folded(first, changes, steps)


def page_states(run: StoredRun, steps: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The state that a page gets at each step."""
    from treino_studio.run_page import RunPage

    sent: list[Any] = []
    shown, states = RunPage("page", run.path, lambda header, _body: sent.append(header)), {}
    if run.latest is not None:  # a way that was left
        shown.look.segment = segments_of(run.spec)[-1].number
        shown.change_way()
    for step in reversed(steps):
        shown.look.step, shown.snapshot = step, shown.playback.at(step, shown.loss_S)
        shown.send_state()
        (*_others, state) = (each.send["state"] for each in sent if "state" in each.send)
        settings = {name: value for name, value in state["settings"].items() if name != "betas"}  # two fields
        states[step] = state | {"settings": without_schedule(settings, shown.snapshot)}
    return states


# ---- the exported script


def trains(run: StoredRun) -> bool:
    """Whether the script trains, and doesn't only predict."""
    return bool(script_parts(run).values["TRAINS"])


def scripted(run: StoredRun) -> dict[str, Tensor]:
    """The weights that the exported script trains, or those that it has if it only predicts."""
    path, *_others = script(run).paths
    if trains(run):
        said(path)
    return dict(torch.load(path.with_suffix(".pt"))["net"])
