"""Steering a run for an agent: a setting while it trains, a stop, and futures of a step."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from treino.base.errors import Refusal
from treino.base.words import _
from treino.folders import Access, StoredRun, not_running
from treino.settings import Settings, read_settings
from treino.training import (
    FanBoundaries,
    extension,
    open_run,
    send_settings,
    send_stop,
    snapshots,
    usual_futures,
)
from treino.training.futures import fan

SET_REFUSED = Refusal("{why}", "Without step it holds from the next step on.")
CHANGES_MISSING = Refusal("set needs changes.", "E.g. changes={example}.")

AGENT = "agent"
COUNT, STEPS = 8, 100  # default number of futures in a fan, and of steps of each
WAIT_SECONDS = 2.0  # for the training process to answer

Report = Callable[[float, float, str], None]
"""A function called with the amount done, the total, and a text."""


def steer(asked: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Do ``set``, ``stop`` or ``fan`` as the tool ``steer`` asks; return the answer's document.

    Raises:
        TreinoError: no such run; a run that no process trains; a setting that can't be changed; as
            ``futures``.
    """
    access = Access(trust=bool(asked.get("trust")))
    run = open_run(asked["run"], access, verify=False)
    if asked["action"] == "set":
        return _set(run, asked["changes"], asked.get("step"))
    if asked["action"] == "stop":
        send_stop(run.folder)
        return {"run": run.name, "path": str(run.path), "stop": "sent"}
    return _fan(run, asked, report)


def _set(run: StoredRun, changes: Mapping[str, Any], step: int | None) -> dict[str, Any]:
    """Ask the process that trains the run for the changes, and wait a moment for its answer."""
    if not isinstance(changes, dict) or not changes:
        raise CHANGES_MISSING(example={"lr": 0.001})
    known = read_settings({name: value for name, value in changes.items() if name in Settings.model_fields})
    values = {name: getattr(known, name, value) for name, value in changes.items()}
    before = len(run.folder.database.commands()), len(run.folder.database.events())
    send_settings(run, values, step, sender=AGENT)
    head = {"run": run.name, "path": str(run.path), "set": dict(values), "step": step, "sender": AGENT}
    return head | {"state": _answer(run, *before)}


def _answer(run: StoredRun, commands: int, events: int) -> str:
    """What has become of the commands sent after the first ``commands``: ``accepted``, or ``sent`` where the
    training process hasn't read them yet, e.g. during a long step.

    Raises:
        TreinoError: the training process has refused them.
    """
    database, until = run.folder.database, time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        states = {each.state for each in database.commands()[commands:] if each.sender == AGENT}
        if "refused" in states:
            why = [each.facts["message"] for each in database.events()[events:] if each.kind == "refused"]
            if not why:  # no reason is given if the training ended before
                raise not_running(run.folder.path, "ending")
            raise SET_REFUSED(why=why[0])
        if "new" not in states:
            return "accepted"
        time.sleep(0.05)
    return "sent"


def _fan(run: StoredRun, asked: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Train futures of a step side by side; the answer is the last message of the studio's fan."""
    (snapshot,) = snapshots(run, [asked["step"]])
    steps, changes = asked.get("steps", STEPS), asked.get("candidates")
    kind = asked.get("kind", "lr") if changes is None else "candidates"
    if changes is None:
        changes = usual_futures(snapshot, kind, asked.get("count", COUNT))
    else:
        changes = [extension(snapshot.run, snapshot.plan, snapshot.step) | each for each in changes]
    message: dict[str, Any] = {}
    for part in fan(0, kind, snapshot, changes, steps):
        assert not isinstance(part, FanBoundaries)  # there are none without a picture
        message = part["fan"]
        report(message["done"], message["steps"], _("step {step}").format(step=message["done"]))
    del message["number"]
    return {"run": run.name, "path": str(run.path), "fan": message}
