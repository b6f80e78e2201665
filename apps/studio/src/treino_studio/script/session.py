"""A script's session in the studio: hooks at each optimizer step, which obey the server's commands."""

import functools
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch.amp.grad_scaler import GradScaler
from torch.compiler import is_compiling
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from treino.base.errors import Refusal, TreinoError, cause, nearest
from treino.base.words import _
from treino_doctor.base.escaping import escape
from treino_doctor.finding import Finding
from treino_doctor.process.run_script import Outcome, flush_streams
from treino_doctor.record import hooks
from treino_doctor.record.lines import unseen
from treino_studio.script import branch_files, checkpoints, evaluations
from treino_studio.script.checkpoints import Awakening
from treino_studio.script.commands import (
    MakeCheckpoint,
    Press,
    ScriptCommand,
    SetValue,
    Steps,
    Watch,
    buttons,
    read_command,
)
from treino_studio.script.figures import EVERY, ScriptFigures, captured, check_value, overruling, set_value
from treino_studio.script.json_socket import JsonSocket
from treino_studio.script.output import PrintedLines
from treino_studio.script.steering import Change, SteeringFile

STUDIO_SETTING = Refusal(
    "The script has no optimizer {number}.",
    "Optimizers are counted from 0, in the order of their first steps.",
)
BUTTON = Refusal("The script has no button '{name}'.", "{hint}")
BUTTON_FAILED = Refusal(
    "The function of the button '{name}' failed: {error}",
    "The training goes on; the traceback is in the script's own output.",
)

POLL_EVERY = 0.05  # seconds between two polls for commands
PAUSE_LOOK = 0.2  # seconds to wait for commands, while paused, before checking whether the script has ended
LAST_SECONDS = 1.0  # time limit for sending the last messages


class Session:
    """The hooks of one run of a script; without commands they change nothing in the script's results.

    server: the socket to the studio's server, or None. file: records the changes. replayed: recorded changes
    to repeat.
    """

    def __init__(
        self, server: JsonSocket | None, file: SteeringFile, replayed: Sequence[Change] = ()
    ) -> None:
        self.figures = ScriptFigures(watched=server is not None)
        self._server = server
        self._file = file
        self._replayed = list(reversed(replayed))  # the next change is the last item
        self._next_poll = 0.0
        self._paused = self._stopping = self._ended = False
        self._steps_left = 0  # steps that a paused script may still take
        self._asleep = False  # paused while another branch goes on
        self._due: list[MakeCheckpoint] = []
        self._unable: str | None = ""  # the posted reason why there can be no checkpoint
        self._streams: tuple[int, int] | None = None  # the terminal's, of a branch that prints to a file
        self._calling = False  # a button's function runs: its steps are counted, but obey no commands
        self._posted: tuple[tuple[str, ...], int] = (), 0  # sent buttons, and number of sent sentences
        self._findings: set[tuple[str, str | None, int | None]] = set()
        self._lock = threading.RLock()  # for scripts that step in several threads
        self._undo: list[Callable[[], None]] = []
        self._output: PrintedLines | None = None

    def install(self) -> None:
        """Hook backward and optimizer steps; forked processes aren't watched."""
        backward, scale = torch.autograd.backward, GradScaler.scale
        torch.autograd.backward = _watched_backward(backward, self.figures)
        GradScaler.scale = _watched_scale(scale, self.figures)  # type: ignore[method-assign]
        self._undo = [
            functools.partial(setattr, torch.autograd, "backward", backward),
            functools.partial(setattr, GradScaler, "scale", scale),
            *evaluations.watch(self.figures.evaluations),
            register_optimizer_step_pre_hook(self._before_step).remove,
            register_optimizer_step_post_hook(self._after_step).remove,
        ]
        os.register_at_fork(after_in_child=self._forget)
        if self._server is not None:
            self._output = PrintedLines(self._post, lambda: self.figures.steps)

    def uninstall(self) -> None:
        """Remove the hooks."""
        self._ended = True
        while self._undo:
            self._undo.pop()()

    def _forget(self) -> None:
        if not hooks.continuing:
            self._ended, self.figures.watched = True, False

    # --- at each step -------------------------------------------------------------------------------------
    def _before_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        if is_compiling() or self._ended or captured():
            return
        with self._lock:
            self.figures.order_of(optimizer)
            if self._calling:
                return
            while self._replayed and self._replayed[-1].step <= self.figures.steps + 1:
                self._repeat(self._replayed.pop())
            if self._server is not None and (self._paused or perf_counter() >= self._next_poll):
                self._answer()
            stopping, self._stopping = self._stopping, False
        if stopping:
            _interrupt()

    def _after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        if is_compiling() or self._ended or captured():
            return
        with self._lock:
            self.figures.stepped(optimizer)
            if self.figures.watched and (now := perf_counter()) >= self.figures.next_message:
                self._tell(now, optimizer)

    def _answer(self) -> None:
        """Carry out pending commands, and wait while the script is paused."""
        self._obey()
        if self._paused:
            self._wait()
        self._next_poll = perf_counter() + POLL_EVERY

    def _obey(self, seconds: float = 0.0) -> None:
        """Carry out the commands that have come, after waiting for some up to ``seconds``."""
        assert self._server is not None
        began = perf_counter()
        requests = self._server.receive(seconds)
        self.figures.paused_seconds += perf_counter() - began if seconds else 0.0
        for request in requests:
            self._do(request)
        while self._due:
            self._checkpoint(self._due.pop(0))
        checkpoints.reap()

    def _wait(self) -> None:
        if not self._steps_left:
            self._tell(perf_counter(), None)
            self._post({"paused": True})
            while self._paused and not self._steps_left and not self._stopping and not self._ended:
                self._obey(PAUSE_LOOK)
                if self._server is not None and not self._server.is_open:  # nobody could end the pause
                    self._paused, self._stopping = False, self._asleep
        if self._steps_left:
            self._steps_left -= 1
            self.figures.next_message = 0.0  # send this step's figures at once
        elif not self._paused:
            self._post({"paused": False})

    # --- checkpoints ----------------------------------------------------------------------------------------
    def _checkpoint(self, command: MakeCheckpoint) -> None:
        """Let a copy of this process sleep. In a branch of the copy this returns once it is awake."""
        assert self._server is not None
        began = perf_counter()
        unable = checkpoints.why_not(self._server)
        if unable is None:
            self._tell(began, None)
            flush_streams()
            self._flush_output()
            about = {"number": command.number, "step": self.figures.steps, "marked": command.marked}
            try:
                branch_files.note_open_files()
                awakening = checkpoints.copy(self._server, about, began)
            except TreinoError as error:
                unable = error.message
            except OSError as error:
                unable = _("The system can't copy this process: {reason}.").format(reason=error.strerror)
            else:
                if awakening is not None:
                    self._go_on(awakening)
        self._post_unable(unable)

    def _go_on(self, awakening: Awakening) -> None:
        """Continue as a branch, in the process that has just woken."""
        command, self._server = awakening.command, awakening.server
        self.figures.paused_seconds += awakening.slept
        self.figures.drop_losses()  # the process that was copied has posted them
        self._posted, self._unable = ((), 0), ""
        self._asleep, self._paused = False, command["steps"] is not None
        self._steps_left = command["steps"] or 0
        self._due.clear()
        folder = Path(command["folder"])
        folder.mkdir(parents=True, exist_ok=True)
        if not command["shown"]:
            self._print_to(folder / "output.txt")
        self._file = self._file.branch(folder)
        for sentence in branch_files.enter_branch(folder):
            self.figures.say(sentence)
        for name, value in command["changes"].items():
            self._scale(name, value)
        for request in awakening.requests:
            self._do(request)
        signal.pthread_sigmask(signal.SIG_SETMASK, awakening.mask)

    def _scale(self, name: str, value: float) -> None:
        """Set a rate of the first optimizer's first group, and keep the ratios of its other groups to it."""
        optimizer = self.figures.optimizer(0)
        groups = [] if optimizer is None else optimizer.param_groups
        before = [float(group.get(name, 0.0)) for group in groups]
        for index in range(len(groups)):
            scaled = value * before[index] / before[0] if before[0] else value
            self._do({"do": "set", "optimizer": 0, "group": index, "name": name, "value": scaled})

    def _print_to(self, path: Path) -> None:
        """Print to a file instead of the terminal."""
        self._streams = os.dup(1), os.dup(2)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)
        for number in (1, 2):
            os.dup2(file, number)
        os.close(file)

    def _show(self) -> None:
        """Print to the terminal again."""
        flush_streams()
        for number, stream in enumerate(self._streams or (), 1):
            os.dup2(stream, number)
            os.close(stream)
        self._streams = None

    def _flush_output(self) -> None:
        if self._output is not None:
            self._output.flush()

    def _post_unable(self, unable: str | None) -> None:
        if unable != self._unable:
            self._unable = unable
            self._post({"unable": unable})

    # --- commands -------------------------------------------------------------------------------------------
    def _do(self, request: Any) -> None:
        try:
            command = read_command(request)
            if isinstance(command, ScriptCommand):
                self._act(command, by_hand=True)
        except TreinoError as error:
            self._post({"error": error.document, "command": request})

    def _repeat(self, change: Change) -> None:
        """Repeat a recorded change; after a failure, warn and go on training."""
        try:
            self._act(change.command, by_hand=False)
        except TreinoError as error:
            self.warn(_("step {step}: {error}").format(step=change.step, error=error))

    def _act(self, command: ScriptCommand, *, by_hand: bool) -> None:
        if isinstance(command, Watch):
            self.figures.watched, self.figures.next_message = command.on, 0.0
        elif isinstance(command, SetValue):
            self._set(command, by_hand)
        elif isinstance(command, Press):
            self._press(command, by_hand)
        elif isinstance(command, Steps):
            self._paused, self._steps_left = True, self._steps_left + command.count
        elif isinstance(command, MakeCheckpoint):
            self._due.append(command)
        elif command.do == "stop":
            self._record(command, by_hand=False)  # a stop alone creates no file
            self._paused, self._stopping = False, True
        elif command.do == "show":
            self._show()
        else:
            self._paused, self._steps_left = command.do != "play", 0
            self._asleep = command.do == "sleep"

    def _set(self, command: SetValue, by_hand: bool) -> None:
        optimizer = self.figures.optimizer(command.optimizer)
        if optimizer is None:
            raise STUDIO_SETTING(number=command.optimizer)
        check_value(optimizer, command)
        change = self._record(command, by_hand)
        before = set_value(optimizer, command)
        until = overruling(optimizer.param_groups[command.group], command.name)
        self._post_change(
            change, before=before, **({"until": _("the scheduler's next step")} if until else {})
        )

    def _press(self, command: Press, by_hand: bool) -> None:
        function = buttons.get(command.button)
        if function is None:
            raise BUTTON(name=command.button, hint=nearest(command.button, buttons))
        change = self._record(command, by_hand)
        self._calling = True
        try:
            function()
        except Exception as error:
            trace = error.__traceback__
            traceback.print_exception(error.with_traceback(trace and trace.tb_next))  # omit this frame
            raise BUTTON_FAILED(name=command.button, error=cause(error)) from None
        finally:
            self._calling = False
        self._post_change(change)

    def _record(self, command: ScriptCommand, by_hand: bool) -> Change:
        change = Change(self.figures.steps + 1, command)
        self._file.add(change, by_hand=by_hand)
        return change

    # --- messages -----------------------------------------------------------------------------------------
    def _post(self, message: dict[str, Any]) -> None:
        if self._server is not None:
            self._server.post(message)

    def _post_change(self, change: Change, **more: Any) -> None:
        self._post({"changed": {**change.to_json(), **more, "file": self._file.written}})

    def _tell(self, now: float, stepped: Optimizer | None) -> None:
        """Post the figures, buttons, sentences and output; wait with them if earlier messages are unsent."""
        if self._server is None or not self._server.flushed():
            self.figures.next_message = now + EVERY
            return
        message = self.figures.message(now, stepped) if self.figures.pending else None
        self._flush_output()
        if self._unable == "":
            self._post_unable(checkpoints.why_not(self._server))
        names, count = tuple(buttons), len(self.figures.unseen)
        if names != self._posted[0]:
            self._server.post({"buttons": list(names)})
        if count > self._posted[1]:
            self._server.post({"unseen": self.figures.unseen})
        self._posted = names, count
        if message is not None:
            self._server.post(message)

    def post_finding(self, finding: Finding) -> None:
        """Post a finding of the doctor, unless it was posted before."""
        key = finding.rule, finding.file, finding.line
        if key not in self._findings:
            self._findings.add(key)
            self._post({"finding": finding.as_json()})

    def warn(self, sentence: str) -> None:
        """Warn about a difference from the recorded session, on stderr and to the server."""
        self._post({"warning": sentence})
        sys.stderr.write(f"treino studio: {escape(sentence)}\n")  # the script may have replaced print
        sys.stderr.flush()

    def finish(self, outcome: Outcome) -> None:
        """Post the last figures, the findings and the outcome of a script that has ended or is about to."""
        self._ended = True
        locked = self._lock.acquire(timeout=LAST_SECONDS)
        self.uninstall()
        for finding in outcome.exam.findings:
            self.post_finding(finding)
        if self._replayed:
            self.warn(
                _("Changes not made, as the script ended before their steps: {n}.").format(
                    n=len(self._replayed)
                )
            )
        if self.figures.watched:
            if not self.figures.steps and not self.figures.backwards:
                self.figures.say(_("No backward was seen: this script never trained."))
            self._tell(perf_counter(), None)
        if self._output is not None:
            self._output.close()
        end = {"status": outcome.status, "steps": self.figures.steps, "error": outcome.error or None}
        self._post({"end": end})
        self._file.close()
        if self._server is not None:
            self._server.close(LAST_SECONDS)
        if locked:
            self._lock.release()


def _watched_backward(original: Any, figures: ScriptFigures) -> Any:
    @functools.wraps(original)
    def backward(tensors: Any, *args: Any, **kwargs: Any) -> None:
        if not is_compiling():
            figures.backward(tensors)
        original(tensors, *args, **kwargs)

    return unseen(backward)


def _watched_scale(original: Any, figures: ScriptFigures) -> Any:
    @functools.wraps(original)
    def scale(scaler: Any, outputs: Any) -> Any:
        result = original(scaler, outputs)
        if not is_compiling():
            figures.scaled(result, outputs)
        return result

    return unseen(scale)


def _interrupt() -> None:
    """Interrupt the main thread from any thread, as Ctrl-C does."""
    main = threading.main_thread().ident
    if callable(signal.getsignal(signal.SIGINT)) and main is not None:
        signal.pthread_kill(main, signal.SIGINT)
    else:  # SIGINT is ignored, as in a shell's background job
        raise KeyboardInterrupt
