"""The actions of alerts: stop a training, set hyper-parameters, go back, or notify somebody. Each is recorded
as a command with its step, so that a run can be replayed without its alerts.

``alerted`` wraps the events of a training. Alerts are given anew at each start and never read from a folder,
because the command of a notification must not run just because a folder contains it.
"""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from treino.base.delivery import Delivery
from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.log import LOG
from treino.base.words import _, numeral, setting
from treino.data.dataset import Data, why_not_reproducible
from treino.engine.early_stopping import FACTOR
from treino.engine.hyperparameters import changed_values, checked_numbers, single_values
from treino.engine.metrics import further_metric, metric_names
from treino.engine.nets import CNN
from treino.engine.optim import HP
from treino.folders.documents.reading import read_run_spec
from treino.folders.store.database import Command
from treino.folders.timeline import newest
from treino.training.alert_conditions import BACK, AlertCourse, Course, Looks
from treino.training.alerts import (
    ALERT_HYPERPARAMETER,
    FINDING,
    NOTIFY,
    REWIND,
    STOP,
    TRAINING,
    VALIDATION,
    Action,
    Alert,
    NewValue,
    alert_of,
)
from treino.training.branch import rewinding
from treino.training.goals import not_measured
from treino.training.loop import JobAlert, JobClose, JobEnd, JobEvent, JobProgress, JobStart
from treino.training.replay import snapshots
from treino.training.resolution import Resolution
from treino.training.stored_training import FIRED, NOT_NOTIFIED
from treino.training.train import RunJob, run_of

ALERT_REWIND = Refusal(
    "An alert can't go back in this training: {why}", "Use another action, e.g. {example}."
)
ALERT_REWIND_ALONE = Refusal(
    "Going back alone would repeat the same steps: there is no other order of rows to try.",
    "Change something, e.g. {example}.",
    rule="alert_rewind",
)
ALERT_METRIC = Refusal(
    "This training measures {metric}, and of the metrics that are not treino's only that which decides: not"
    " {name}.",
    "Let it decide, {flag}, or watch another figure.",
)
ALERT_NETWORK = Refusal(
    "An alert would send to {url}, and nobody has allowed that.", "Add {flag}, or notify a command."
)
ALERT_COMMAND = Refusal(
    "There is no command {name!r} to notify.",
    "Give the path of a program that can be run, with its arguments; no shell reads them.",
)
ALERT_OF_MEMBERS = Refusal(
    "The networks of this ensemble differ in {name}.", "Set one value for all, e.g. {name}=0.1."
)

GIVEN = "alerts"  # the kind of an event: the alerts' texts, for readers of the record
MOST_REWINDS = 3  # maximum for one alert
SENDER = "alert"  # the sender of commands and segments
HOOK_SECONDS = 10.0  # longest time of one notification; a longer one is ended
LAST_WORDS = 300  # bytes kept of a failed command's stderr, whose last line is reported
LAST_SECONDS = 0.2  # longest wait for them after the command's end: its children may hold its stderr open
PIPE_BYTES = 1 << 16  # bytes read at once: all that a pipe holds

# ---- which alerts a training can have


def given_alerts(
    texts: str | Iterable[str] | None, *, network: bool, metric: str | None = None
) -> tuple[Alert, ...]:
    """Read the alerts that a user gives. network: whether they may send to an address. metric: that of the
    training.

    Raises:
        TreinoError: as ``alert_of``; a command that isn't there; an address without permission.
    """
    every = () if texts is None else [texts] if isinstance(texts, str) else texts
    alerts = tuple(alert_of(text, metric or "") for text in every)
    for action in (alert.action for alert in alerts if alert.action.kind == NOTIFY):
        if action.address is not None and not network:
            raise ALERT_NETWORK(url=action.address, flag=setting("allow_network", True))
        if action.address is None and shutil.which(action.words[0]) is None:
            raise ALERT_COMMAND(name=action.words[0])
    return alerts


def check_alerts(alerts: Sequence[Alert], data: Data, resolution: Resolution) -> None:
    """Refuse alerts that this training can't have.

    Raises:
        TreinoError: a figure that isn't measured in this training; an action that is impossible in it.
    """
    training = resolution.training
    measured = metric_names(training.loss_function, training.outputs)
    for alert in alerts:
        for clause in alert.condition.clauses:
            name = clause.figure.removeprefix(f"{VALIDATION} ")
            if clause.way == FINDING or name == clause.figure:
                continue
            if name not in measured and further_metric(name):
                own = training.config.shared.metric
                raise ALERT_METRIC(name=name, metric=own, flag=setting("metric", name))
            if name not in measured:
                raise not_measured("alert_task", name, measured, data)
            if not len(data.validation):
                raise TreinoError(
                    "alert_validation",
                    _("{figure} needs validation rows, and there are none.").format(figure=clause.figure),
                    _("Use {figure}, or keep some rows: {flag}.").format(
                        figure=TRAINING, flag=setting("validation", 0.15)
                    ),
                )
        _check_action(alert.action, data, resolution)


def _check_action(action: Action, data: Data, resolution: Resolution) -> None:
    training = resolution.training
    for change in action.changes:
        if change.name not in (*training.steerable, *HP, "betas"):
            raise ALERT_HYPERPARAMETER(name=change.name, hint=nearest(change.name, training.steerable))
        if change.relative:
            value_P = training.state.population.hp[change.name]
            if bool((value_P != value_P[0]).any()):
                raise ALERT_OF_MEMBERS(name=change.name)
        value = float(training.state.population.hp[change.name][0]) if change.relative else change.value
        changed_values(change.name, value, 1, training.model.optimizer, training.steerable)
    if action.kind != REWIND:
        return
    if why := why_not_reproducible(data):
        raise ALERT_REWIND(why=why, example="lr*0.5")
    plan = training.plan
    if not action.changes and (plan.shuffle == "off" or plan.batch_size in (None, plan.rows)):
        raise ALERT_REWIND_ALONE(example="rewind lr*0.5")


# ---- the alert that treino gives itself

RISE, FEWEST = 0.2, 300  # share of a training, and updates, after which a constant output must be worse


def own_alerts(job: RunJob) -> list[Alert]:
    """The alert of a convolutional network with a rate that treino chose: begin again with half of it if the
    loss stays at what the best constant output gets, returns there, or is NaN."""
    training, spec = job.training, read_run_spec(job.folder)
    chosen = isinstance(training.model.net, CNN) and not {"lr", "optimizer"} & spec.asked.keys()
    segment = newest(spec)
    theirs = spec.parent is not None or (segment.number > 0 and segment.sender != SENDER)
    constant = float(training.threshold_P[0]) / FACTOR
    steps = max(int(RISE * training.steps), FEWEST)
    epochs = -(-steps // training.steps_per_epoch)
    short = epochs * training.steps_per_epoch >= training.steps
    if not chosen or theirs or short or not math.isfinite(constant) or why_not_reproducible(job.data):
        return []
    least = f"{constant * 0.9995:.4g}"  # not rounded up
    alert = alert_of(f"training loss > {least} for {epochs} epochs or loss is nan: rewind lr*0.5")
    reason = _("A constant output does as well, and treino chose the rate ({flag} keeps it).")
    return [replace(alert, reason=reason.format(flag=setting("lr", training.config.shared.lr)))]


# ---- notifications


def run_command(words: Sequence[str], facts: Mapping[str, Any]) -> None:
    """Run a command without a shell, with the facts as JSON on its standard input and in its environment.

    Raises:
        RuntimeError: it failed, or took longer than HOOK_SECONDS. OSError: it can't be run.
    """
    named = {name: facts[name] for name in ("alert", "run", "path", "step", "epoch", "message")}
    environment = {f"TREINO_{name.upper()}": str(value) for name, value in named.items()}
    with subprocess.Popen(
        words,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,  # not a file, which a command that never ends would fill
        env={**os.environ, **environment},
        start_new_session=True,  # Ctrl-C is for the training; and all processes that it starts can be ended
    ) as process:
        last = bytearray()
        reading = threading.Thread(target=_keep_last, args=(process.stderr, last), daemon=True)
        reading.start()
        assert process.stdin is not None
        with suppress(BrokenPipeError), process.stdin as told:
            told.write(json.dumps(facts).encode())
        try:
            process.wait(HOOK_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError, PermissionError):
                if sys.platform == "win32":
                    process.kill()
                else:
                    os.killpg(process.pid, signal.SIGKILL)
            raise RuntimeError(_("it took longer than {n:g} s").format(n=HOOK_SECONDS)) from None
        reading.join(LAST_SECONDS)
    if process.returncode:
        text = last.decode(errors="replace").strip("\0").strip()
        why = _("it ended with status {status}").format(status=process.returncode)
        raise RuntimeError(": ".join([why, *text.splitlines()[-1:]]))


def _keep_last(pipe: Any, last: bytearray) -> None:
    """Keep the last bytes that come from a pipe, until it is closed at either end."""
    with suppress(OSError, ValueError):
        while part := pipe.read(PIPE_BYTES):
            last[:] = (last + part)[-LAST_WORDS:]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An address that leads elsewhere is an error: facts are sent only to the address that was typed."""

    def redirect_request(self, *_args: Any) -> None:
        return None


def post(address: str, facts: Mapping[str, Any]) -> None:
    """Send the facts as JSON.

    Raises:
        OSError, http.client.HTTPException, ValueError: it didn't arrive.
    """
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, json.dumps(facts).encode(), headers, method="POST")
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=HOOK_SECONDS) as answer:
        answer.read(1)


class Hook:
    """The recipient of one alert's notifications. ``Delivery`` calls ``notify`` on a thread of its own."""

    def __init__(self, action: Action) -> None:
        web = action.address
        self.notify = partial(run_command, action.words) if web is None else partial(post, web)


class Notices:
    """The notifications of a training's alerts; each alert's are sent one after the other."""

    def __init__(self, alerts: Sequence[Alert]) -> None:
        self._deliveries = {
            alert: Delivery(str(alert.action), partial(Hook, alert.action))
            for alert in alerts
            if alert.action.kind == NOTIFY
        }
        self._told: set[Alert] = set()

    def send(self, alert: Alert, facts: Mapping[str, Any]) -> None:
        self._deliveries[alert].tell("notify", facts)

    def failed(self, alert: Alert) -> bool:
        """Whether this alert failed to notify, and doesn't try again."""
        return bool(self._deliveries[alert].failure)

    def failures(self) -> Iterator[str]:
        """A sentence for each alert that failed to notify; each only once."""
        for alert, delivery in self._deliveries.items():
            if delivery.failure and alert not in self._told:
                self._told.add(alert)
                yield _("{action} failed, and is not called again: {why}").format(
                    action=alert.action, why=delivery.failure
                )

    def end(self, patience: float = HOOK_SECONDS + 1) -> None:
        """Wait for notifications that are being sent."""
        for delivery in self._deliveries.values():
            delivery.end(patience)


# ---- a training with alerts


def alerted(stream: Iterator[JobEvent], alerts: Sequence[Alert]) -> Iterator[JobEvent]:
    """Yield the events of a run's training, check its alerts and treino's own as it goes, and carry out their
    actions.

    A training that an alert sends back ends, and the run's next segment follows as part of the same events.
    """
    notices = Notices(alerts)
    more: Iterator[JobEvent] | None = stream
    try:
        while more is not None:
            more = yield from _segment(more, alerts, notices)
    finally:
        notices.end(0.0)


WayBack = tuple[int, Mapping[str, Any]]
"""The step to which an alert sends a training back, and with what changes."""


def _segment(
    stream: Iterator[JobEvent], alerts: Sequence[Alert], notices: Notices
) -> Generator[JobEvent, None, Iterator[JobEvent] | None]:
    """Follow the events of one segment's training. Return those of the next one, if an alert begins it."""
    looks: Looks | None = None
    back: WayBack | None = None
    ahead: list[Command] = []
    for event in stream:
        job, messages = event.job, list[str]()
        assert isinstance(job, RunJob)
        if isinstance(event, JobStart) and (watching := [*alerts, *own_alerts(job)]):
            records = [e for e in job.folder.database.events() if e.kind == FIRED and BACK in e.facts]
            went = [e.facts["alert"] for e in records if e.segment < job.segment]
            looks = Looks(job, watching, [went.count(str(alert)) for alert in watching])
            job.look, sent = looks.see, [c for c in job.folder.database.commands() if c.sender == SENDER]
            alive = [c for c in sent if c.state in ("new", "applied") and c.segment in (None, job.segment)]
            # sent for later steps before the process died: the resumed training applies it there
            ahead = [c for c in alive if c.step is not None and c.step > job.training.step]
            given = {"alerts": [str(alert) for alert in watching]}
            job.folder.database.add_event(job.segment, job.training.step, GIVEN, given)
        elif isinstance(event, JobProgress) and looks is not None and back is None:
            looks.see_findings()
            acts = Acts(job, notices, ahead, stops=looks.stops)
            for course, true in looks.fired():
                acts.act(course, true)
            messages, back = acts.messages, acts.back
            messages += _noted(job, notices.failures())
        elif isinstance(event, JobClose):
            messages = _noted(job, notices.failures())
        elif isinstance(event, JobEnd):
            if back is not None and not event.interrupted:
                (snapshot,) = snapshots(run_of(job), [back[0]], job.data)
                return rewinding(snapshot, back[1], sender=SENDER)
            notices.end()
            yield from _reported(job, notices.failures())
        yield event
        yield from _reported(job, messages)
    return None


def _reported(job: RunJob, messages: Iterable[str]) -> Iterator[JobEvent]:
    for message in messages:
        LOG.warning("%s: %s", job.folder.path, message)
        yield JobAlert(job, message)


def _noted(job: RunJob, messages: Iterable[str]) -> list[str]:
    """The messages, written into the run's record."""
    messages = list(messages)
    for message in messages:
        job.folder.database.add_event(job.segment, job.training.step, NOT_NOTIFIED, {"message": message})
    return messages


class Acts:
    """The actions of the alerts that fire at one step. ahead: recorded commands that need not be sent again.
    stops: whether one of them stops the training. messages: a sentence for each. back: the rewind, if any."""

    def __init__(self, job: RunJob, notices: Notices, ahead: list[Command], *, stops: bool) -> None:
        self.job, self.notices, self.ahead = job, notices, ahead
        self.messages: list[str] = []
        self.back: WayBack | None = None
        self._set: dict[str, Any] = {}
        self._stops = stops

    def act(self, course: AlertCourse, true: Sequence[Course]) -> None:
        """Carry out the alert's action, and write it into the run's record. true: what made it fire."""
        job, alert = self.job, course.alert
        action, step = alert.action, job.training.step
        since = max(0, min((each.since.step for each in true), default=step))
        figures = {
            each.clause.figure: each.value if math.isfinite(each.value) else None
            for each in true
            if each.clause.way != FINDING
        }
        said = ", ".join(
            f"{name} {'nan' if value is None else numeral(value, '.4g')}" for name, value in figures.items()
        )
        before, done = self.back, self._do(course, since)
        sentence = (
            _("Step {step:,}: {condition} ({figures}). {act}")
            if said
            else _("Step {step:,}: {condition}. {act}")
        )
        act = f"{alert.reason} {done}".strip()
        message = sentence.format(step=step, condition=alert.condition, figures=said, act=act)
        facts = {"alert": str(alert), "since": since, "figures": figures, "message": message}
        facts |= {} if self.back is before or self.back is None else {BACK: self.back[0]}
        job.folder.database.add_event(job.segment, step, FIRED, facts)
        self.messages.append(message)
        if action.kind == NOTIFY:
            place = {
                "run": job.folder.path.name,
                "path": str(job.folder.path.resolve()),
                "segment": job.segment,
                "step": step,
                "epoch": job.training.epoch,
            }
            self.notices.send(alert, {**facts, **place, "message": str(message)})

    def _do(self, course: AlertCourse, since: int) -> str:
        """Act. Return what was done, as a sentence."""
        job, action = self.job, course.alert.action
        if action.kind == NOTIFY:
            whom = str(action).partition(" ")[2]
            if self.notices.failed(course.alert):
                course.over = True
                return _("Not told, since that failed: {whom}").format(whom=whom)
            return _("Tells: {whom}").format(whom=whom)
        if action.kind == REWIND:
            return self._go_back(course, since)
        if job.training.done:
            return _("The training is over by itself.")
        if action.kind == STOP:
            self._send("stop", None, None)
            return _("The training stops.")
        try:
            values = self._values(action.changes)
        except TreinoError as error:  # a factor leads out of the setting's range
            course.over = True
            return _("It sets nothing any more: {why}").format(why=error.message)
        for name, value in values.items():
            self._set_from_here(name, value)
        self._set |= values
        return _("Set: {values}.").format(values=_values_text(values))

    def _go_back(self, course: AlertCourse, since: int) -> str:
        job, training = self.job, self.job.training
        if self._stops:
            return _("Another alert stops it.")
        if self.back is not None:
            return _("Another alert goes back.")
        if course.rewound >= MOST_REWINDS:
            course.over = True
            return _("It went back {n} times, and does so no more.").format(n=MOST_REWINDS)
        try:
            changes = self._values(course.alert.action.changes)
        except TreinoError as error:
            course.over = True
            return _("It goes back no more: {why}").format(why=error.message)
        course.rewound += 1
        count, best = training.plan.count, int(training.state.best.step_P.max())
        before = best if 0 <= best <= since else count.end_of(count.ended(since))
        changes = changes or {"data_seed": training.plan.data_seed + 1}
        start = newest(read_run_spec(job.folder)).start  # the first step of the segment
        self.back = max(before, start), changes
        job.stop_wish = "stopped"
        text = _values_text(changes)
        return _("Back to step {step:,}, with {values}.").format(step=self.back[0], values=text)

    def _values(self, changes: Sequence[NewValue]) -> dict[str, Any]:
        """The new values, by name."""
        hp = self.job.training.state.population.hp
        values: dict[str, Any] = {}
        for change in changes:
            value = change.value
            if change.relative:
                before = self._set.get(change.name, float(hp[change.name][0]))
                product = float(f"{before * change.value:.12g}")  # 0.01, not 0.010000000000000002
                (value,) = checked_numbers(change.name, product, 1)
            values[change.name] = list(value) if isinstance(value, tuple) else value
        return values

    def _set_from_here(self, name: str, value: Any) -> None:
        """Send the commands that set a value from the next step on."""
        training = self.job.training
        for each, own in single_values(name, value, training.model.optimizer, training.steerable).items():
            known = next((command for command in self.ahead if command.name == each), None)
            if known is not None:
                self.ahead.remove(known)
            else:
                self._send(each, own, training.step)

    def _send(self, name: str, value: Any, step: int | None) -> None:
        self.job.folder.database.add_command(name, value, step, sender=SENDER)


def _values_text(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {value if not isinstance(value, float) else numeral(value, '.4g')}"
        for name, value in values.items()
    )
