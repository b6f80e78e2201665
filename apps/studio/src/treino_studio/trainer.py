"""The process that trains for the studio's pages: its runs take turns of a tenth of a second.

The process is the only writer of these runs. It reads pause, step and settings from their folders, as every
training does; requests for new trainings, resumes, rewinds and branches come through its channel.
"""

import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from treino.base.encoding import tensor_value
from treino.base.errors import TreinoError
from treino.base.words import _, speaking
from treino.fit_events import FitRequest, fit_events
from treino.folders import Access, RunFolder, UserFiles
from treino.settings import StudyOptions, SweepOptions
from treino.training import (
    JobEvent,
    JobPause,
    JobStart,
    Playback,
    RunJob,
    StudyRequest,
    SweepRequest,
    checked_playback,
    continued,
    deliver,
    last_step,
    like,
    name_of_like,
    open_run,
    resuming,
    send_command,
    send_stop,
    study_events,
    sweep_events,
    sweep_resumption,
    training_rows,
    watched,
)
from treino_studio import messages
from treino_studio.process import Channel

LOOK_SECONDS = 1.0  # between two checkpoints of a sweep or study, from which its page is drawn
ENDS_WITH_STUDIO = "--ends-with-studio"  # an argument of this program
PATIENCE = 20.0  # seconds to wait for a training in another process


WATCHED = 25.0  # seconds of a planned training at the speed "watched", at which readers can see it learn
SLOWEST, FASTEST = 5.0, 300.0  # ... in steps per second


def watched_speed(steps: int) -> float:
    """The steps per second at which readers can see a training of ``steps`` steps learn."""
    return float(f"{min(max(steps / WATCHED, SLOWEST), FASTEST):.2g}")


def _closable(events: Iterator[JobEvent]) -> Generator[JobEvent, None, None]:
    """The same events; closing it closes what makes them."""
    yield from events


@dataclass(eq=False)
class Stream:
    """One training in this process.

    reply: the id of the request whose answer is the training's folder; None once answered. play_control: its
    first command (play, pause, step, ...) and its value. speed: in steps per second; "watched": as
    ``watched_speed``. before: the continuation of the training that was ended for this one; it runs if this
    one is refused.
    """

    events: Generator[JobEvent, None, None]
    reply: int | None
    play_control: messages.PlayControl = messages.PLAY
    speed: float | Literal["watched"] | None = None
    before: "Stream | None" = None
    job: Any = None


class Trainer:
    """All trainings of this process. channel: the channel to the studio. goes_on: whether trainings that play
    go on without the studio."""

    def __init__(self, channel: Channel, goes_on: bool = True) -> None:
        self.channel, self.goes_on = channel, goes_on
        self.streams: list[Stream] = []
        self.alone = False  # whether the studio is gone

    def run(self) -> None:
        """Train and obey requests until ``quit``, or until the studio is gone and all trainings are over."""
        while self.streams or not self.alone:
            self._listen()
            for stream in list(self.streams):
                self._advance(stream)

    def _listen(self) -> None:
        """Obey all pending requests; wait for one if nothing is in training."""
        while not self.alone:
            try:
                message = self.channel.receive(0.0 if self.streams else None)
            except EOFError:
                self._studio_is_gone()
                return
            if message is None:
                return
            self._obey(*message)

    def _studio_is_gone(self) -> None:
        """From now on trainings go on alone, if they may."""
        if not self.goes_on:
            self._quit()
        self.alone = True

    def _quit(self) -> None:
        """Save and end all trainings."""
        self.alone = True
        for stream in list(self.streams):
            if isinstance(stream.job, RunJob):
                stream.job.stop_wish = "interrupted"
            else:  # its last checkpoint suffices to resume it
                stream.events.close()

    def _obey(self, header: dict[str, Any], body: bytes = b"") -> None:
        """Carry out a request, and answer it if it has a number."""
        number, before = header.get("id"), None
        try:
            request: messages.AnyTrainerRequest = messages.TRAINER.read(header)
            with speaking(request.language):
                how, speed = request.play_control, request.speed
                if how is not None:  # checked before a training is ended for another one
                    checked_playback(*how)
                if speed != "watched":
                    checked_playback("speed", speed)
                match request:
                    case messages.QuitRequest():
                        self._quit()
                        return
                    case messages.PlaybackRequest():
                        self._steer(request)
                        self._reply(number)
                        return
                    case messages.StopRequest():
                        send_stop(RunFolder.open(request.run, verify=False))
                        self._reply(number)
                        return
                    case messages.ResumeRequest() if _already_resumed(request.run, how):
                        self._reply(number, run=request.run.name)
                        return
                if request.do in ("resume", "rewind"):
                    before = self._end(request.run)
                events = self._events(request, body)
                how = how or (before.play_control if before is not None else messages.PAUSE)
                self._begin(Stream(_closable(events), number, how, speed, before))
        except TreinoError as error:
            self._refuse(number, error, before=before)
        except Exception as error:  # a defect in one request must not end other trainings
            traceback.print_exc()
            self._refuse(number, defect(error), before=before)

    def _begin(self, stream: Stream) -> None:
        """Add a training and run it to its first event, so that the next request finds its folder."""
        self.streams.append(stream)
        self._advance(stream)

    def _events(self, request: messages.AnyTrainerRequest, body: bytes) -> Iterator[JobEvent]:
        """The events of the training that a request begins, or goes on with."""
        match request:
            case messages.RunRequest():
                networks = UserFiles() if request.command_line else None
                fit = FitRequest(request.data, request.settings, networks, parent=request.parent)
                return fit_events(fit)[0]
            case messages.SweepRequest(data=data, settings=settings, parent=parent):
                options = SweepOptions(members=request.members)
                asked = SweepRequest(data, settings, parent=parent, space=request.space, options=options)
                return sweep_events(asked)
            case messages.StudyRequest(data=data, settings=settings, parent=parent):
                compared = StudyOptions(batch_sizes=request.batch_sizes or None)
                return study_events(StudyRequest(data, settings, parent=parent, options=compared))
            case messages.LikeRequest(run=network):
                source, settings, copies = like(network)
                fit = FitRequest(
                    source,
                    settings | {"name": request.name},
                    copies,
                    parent=Path(network).parent,
                    lean=True,
                    like=name_of_like(network),
                )
                return fit_events(fit)[0]
            case messages.ExtendRequest():
                return sweep_resumption(request.run, Access(), more=request.members)
            case messages.ResumeRequest():
                return watched(resuming(request.run), Access())
            case messages.ContinueRequest():
                return self._continued(request, body)
            case _:
                raise AssertionError(f"{request.do} begins no training")

    def _continued(self, request: messages.ContinueRequest, body: bytes) -> Iterator[JobEvent]:
        """Go on from a step, from the state in the body if there is one."""
        if request.do == "branch":
            self._record(request.run, request.step or 0)
        run = open_run(request.run, Access())
        way = run if request.segment is None else run.up_to(request.segment)
        playback = Playback(way, training_rows(way, None), remembers=False)
        if body:
            tensors, meta = tensor_value(body, request.run)
            playback.states[meta["segment"], meta["engine"]["step"]] = tensors, meta["engine"]
        step = last_step(way) if request.step is None else request.step
        snapshot = replace(playback.at(step, way.losses), run=run)
        return continued(snapshot, request.changes, in_place=request.do == "rewind")

    def _streams_in(self, path: Path) -> list[Stream]:
        """The trainings of this process in a folder, even if the folder has been removed."""
        there = os.path.realpath(path)
        jobs = [(stream, stream.job) for stream in self.streams if stream.job is not None]
        return [stream for stream, job in jobs if os.path.realpath(job.folder.path) == there]

    def _record(self, path: Path, step: int) -> None:
        """Write the losses up to this step to disk, from which a branch reads them; wait for them if another
        process trains."""
        for stream in self._streams_in(path):
            stream.job.folder.database.flush()
            return
        run, begin = open_run(path, verify=False), time.monotonic()
        while run.status == "running" and len(run.losses) < step and time.monotonic() - begin < PATIENCE:
            time.sleep(0.05)

    def _steer(self, request: messages.PlaybackRequest) -> None:
        """Send a playback command, as all do who steer, to a training that may not have taken a step yet."""
        checked_playback(*request.command)
        streams = self.streams[:1] if request.run is None else self._streams_in(request.run)
        for job in [stream.job for stream in streams if isinstance(stream.job, RunJob)]:
            folder = RunFolder.open(job.folder.path, verify=False)
            deliver(partial(send_command, folder, *request.command))

    def _end(self, path: Path) -> Stream | None:
        """End the training in this folder now, in whichever process, and wait until it is saved and sealed.
        Return its continuation if this process trained it."""
        before = None
        for stream in self._streams_in(path):
            stream.job.stop_wish = "stopped"
            while stream in self.streams:  # it obeys its last commands
                self._advance(stream)
            play_control = stream.job.play_control
            how = messages.PLAY if play_control.stop_step is None else messages.PAUSE
            events = watched(resuming(path), Access())
            before = Stream(_closable(events), None, how, play_control.speed)
        folder = RunFolder.open(path, verify=False)
        deliver(lambda: send_stop(folder))
        begin = time.monotonic()
        while folder.status == "running" and time.monotonic() - begin < PATIENCE:
            time.sleep(0.02)
        return before

    def _advance(self, stream: Stream) -> None:
        try:
            self._note(stream, next(stream.events))
        except StopIteration:
            self.streams.remove(stream)
        except TreinoError as error:
            self._drop(stream, error)
        except Exception as error:
            traceback.print_exc()
            self._drop(stream, defect(error))

    def _drop(self, stream: Stream, error: TreinoError) -> None:
        """End a training that failed, also one that could go on, and report the failure."""
        self.streams.remove(stream)
        stream.events.close()
        self._refuse(stream.reply, error, stream.job, stream.before)

    def _note(self, stream: Stream, event: JobEvent) -> None:
        if isinstance(event, JobPause) and self.alone:
            _leave(event.job)
        if isinstance(event, JobStart):
            stream.job = job = event.job
            if isinstance(job, RunJob):
                speed = watched_speed(job.training.steps) if stream.speed == "watched" else stream.speed
                # obeyed before the commands that were sent to it, and recorded as one of them
                for verb, value in (stream.play_control, ("speed", speed)):
                    job.play_control.command(verb, value, job.training.step, job.training.plan.count)
                    job.folder.database.add_command(verb, value, state="applied")
            else:
                job.checkpoint_seconds = LOOK_SECONDS
            if stream.reply is not None:
                self._reply(stream.reply, run=event.job.folder.path.name)
                stream.reply = None

    def _refuse(
        self, number: int | None, error: TreinoError, job: Any = None, before: Stream | None = None
    ) -> None:
        """Report a failure. If the request got no folder, resume the training that was ended for it."""
        if job is None and before is not None:
            self._begin(before)
        if number is not None:
            self._reply(number, error=messages.ErrorMessage.of(error))
        elif job is not None:
            self._send(messages.TrainingFailed(failed=job.folder.path, error=messages.ErrorMessage.of(error)))

    def _reply(self, number: int | None, **answer: Any) -> None:
        if number is not None:
            self._send(messages.Reply(reply=number, **answer))

    def _send(self, message: messages.Message) -> None:
        if not self.alone:
            try:
                self.channel.send(message)
            except OSError:
                self._studio_is_gone()


def _leave(job: Any) -> None:
    """Let a training that waits go on at full speed, as nobody watches; if it is paused, save and end it, as
    nobody can continue it."""
    if isinstance(job, RunJob) and job.play_control.playing(job.training.step):
        job.play_control.speed = None
    else:
        job.stop_wish = "interrupted"


def _already_resumed(path: Path, play_control: messages.PlayControl | None) -> bool:
    """Whether the run is already in training again; if so, send it the playback command."""
    folder = RunFolder.open(path, verify=False)
    if play_control is None:
        return folder.status == "running"
    return deliver(lambda: send_command(folder, *play_control))


def defect(error: Exception) -> TreinoError:
    """The error for a defect of treino, whose traceback is in the studio's terminal."""
    message = _("The studio's trainer failed: {kind}.").format(kind=type(error).__name__)
    return TreinoError(
        "studio_defect", message, _("Its last words are in the terminal of the studio."), status=1
    )


def main() -> None:
    """Serve the studio that started this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the server, which then sends quit
    gc.freeze()
    Trainer(Channel.of_child(), goes_on=ENDS_WITH_STUDIO not in sys.argv).run()


if __name__ == "__main__":
    main()
