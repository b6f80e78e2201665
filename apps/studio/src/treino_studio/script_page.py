"""The page of a script that runs under hooks: its messages become state, curves, output and notices."""

import asyncio
import math
import re
import shlex
import signal
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from treino_studio.hub import Page
from treino_studio.script.process import ScriptProcess
from treino_studio.script_curves import ScriptCurves

LISTED = 500  # maximum number of changes, findings and lines of output that are kept: the last ones
EVERY = 0.1  # seconds between two messages of output
FIRST = "script"  # the name of the first process; its branches are branch-1, branch-2, …


class ScriptPage:
    """The connection between a script and its page. page: the page with the key ``script``."""

    def __init__(self, page: Page, process: ScriptProcess) -> None:
        self.page, self._process = page, process
        self._state: dict[str, Any] = {
            "kind": "script",
            "buttons": [],
            "unseen": [],
            "examined": False,
            "findings": [],
            "changes": [],
            "checkpoints": None,
            "branches": [],
        }
        self._changed = 0  # changes so far, of all processes
        self._before: dict[int, int] = {}  # the number of changes before each checkpoint
        self._kept: dict[int, str] = {}  # the process that each checkpoint is of
        self._present = FIRST  # the process that is steered and shown
        self._runs = {FIRST: _Run(ScriptCurves(FIRST))}
        self._output: deque[tuple[str, str]] = deque(maxlen=LISTED)
        self._lines = 0  # lines of output so far
        self._printing = FIRST  # the process that has printed the last line
        self._output_due: asyncio.TimerHandle | None = None
        self._stopped = False  # somebody has pressed Stop on a page

    def start(self) -> None:
        """Start a thread that reads the script's messages, as reading blocks."""
        loop = asyncio.get_running_loop()

        def read_messages() -> None:
            for message in self._process.messages():
                try:
                    loop.call_soon_threadsafe(self._take, message)
                except RuntimeError:  # the studio has already ended
                    return

        threading.Thread(target=read_messages, daemon=True).start()

    def send(self, command: Mapping[str, Any]) -> None:
        """Send a command to the script, which reports the result in messages.

        Raises:
            TreinoError: the command is invalid, or the script has ended.
        """
        self._process.send(command)
        self._stopped = command["do"] == "stop" or (self._stopped and command["do"] != "rewind")

    async def end(self) -> None:
        """End the script, if it still runs."""
        self._stopped = True
        await asyncio.to_thread(self._process.close)

    def _take(self, message: Mapping[str, Any]) -> None:
        """Show one message of the script, as described in apps/studio/docs/studio-script.md."""
        state, name = self._state, message.get("run", FIRST)
        if "branches" in message:
            state["branches"] = [
                {**each, "folder": each["folder"] and _from_here(each["folder"])}
                for each in message["branches"]
            ]
            self._present = next((_run_of(each) for each in message["branches"] if each["present"]), FIRST)
        run = self._run(name)
        if "losses" in message:
            for curves in run.take(message):
                self.page.put(curves)
        if "output" in message:
            self._read(name, message["output"])
        for key in ("buttons", "unseen", "checkpoints"):
            if key in message:
                state[key] = message[key]
        for key, many in (("finding", "findings"), ("changed", "changes")):
            if key in message:
                of = {"run": name} | ({"place": self._changed} if key == "changed" else {})
                state[many] = [*state[many], {**message[key], **of}][-LISTED:]
        self._changed += "changed" in message
        for each in message.get("checkpoints", {}).get("list", ()):
            self._before.setdefault(each["number"], self._changed)
            self._kept.setdefault(each["number"], self._present)
        if "script" in message:
            state |= message["script"]
        if "paused" in message:
            run.state["playing"] = not message["paused"]
        if "end" in message:
            end = message["end"]
            run.state |= {"status": "ended", "exit": end["status"], "error": end["error"], "playing": False}
            run.state["reason"] = self._reason(end["status"], end["error"])
        if "fan" in message:
            self.page.put({"fan": message["fan"]})
        for key in ("warning", "notice"):
            if key in message:
                self.page.put({"notice": {"kind": "warning", "text": str(message[key])}})
        if "error" in message:
            error, command = message["error"], message.get("command")
            text = f"{error['message']} {error['hint']}".strip()
            if command is None:  # the script can't be run
                run.state["error"] = text
            self.page.put({"notice": {"kind": "warning", "text": text, "command": command}})
        self._put_state()

    def _run(self, name: str) -> "_Run":
        """The process of this name. A new branch begins with what is known, up to its step, of the process
        that it branched off."""
        if name not in self._runs:
            branch = next((each for each in self._state["branches"] if _run_of(each) == name), None)
            parent, step = (FIRST, 0) if branch is None else (self._parent_of(branch), branch["step"])
            before = self._runs.get(parent, self._runs[FIRST])
            self._runs[name] = _Run(ScriptCurves(name, before.curves, step))
        return self._runs[name]

    @staticmethod
    def _parent_of(branch: Mapping[str, Any]) -> str:
        return _run_of({"number": branch["parent"]})

    def _changes(self) -> list[dict[str, Any]]:
        """The changes that led to the present process: its own, and those before it of the processes
        that it branched off."""
        branches = {_run_of(each): each for each in self._state["branches"]}
        name, until = self._present, {self._present: self._changed}
        while name != FIRST and name in branches:
            known = self._before.get(branches[name]["checkpoint"], 0)
            name = self._parent_of(branches[name])
            until[name] = known
        return [each for each in self._state["changes"] if each["place"] < until.get(each["run"], 0)]

    def _history(self) -> list[dict[str, Any]]:
        """The stretches of all processes, between two changes by hand or between one and where a branch
        begins: ``[{run, first, last, text, changes, checkpoint, left}]``. checkpoint: the number of the last
        one in it. left: it did not lead to the present process.
        """
        branches = self._state["branches"] or [{"number": 0, "parent": 0, "step": 0, "text": ""}]
        known = {_run_of(each): each for each in branches if _run_of(each) in self._runs}
        name, until = self._present, {self._present: math.inf}  # up to which step each led to the present one
        while name != FIRST and name in known:
            name, step = self._parent_of(known[name]), known[name]["step"]
            until[name] = step
        listed, kept = [], (self._state["checkpoints"] or {}).get("list", [])
        for name, branch in known.items():
            begin = branch["step"] if branch["number"] else 0
            changes: dict[int, list[Any]] = {}
            for each in self._state["changes"]:
                if each["run"] == name:  # a branch makes its own with its first step
                    at = begin if branch["number"] and each["step"] <= begin + 1 else each["step"]
                    changes.setdefault(at, []).append(each)
            forks = [
                each["step"] for each in known.values() if each["number"] and self._parent_of(each) == name
            ]
            end = max(self._runs[name].state["step"], begin)
            starts = sorted({begin, *changes, *(s for s in forks if s < end)})
            for first, last in zip(starts, [*starts[1:], max(end, starts[-1])], strict=True):
                own = [k for k in kept if self._kept.get(k["number"]) == name and first < k["step"] <= last]
                listed.append(
                    {
                        "run": name,
                        "first": first,
                        "last": last,
                        "text": branch["text"] if first == begin and not changes.get(first) else "",
                        "changes": changes.get(first, []),
                        "checkpoint": max(own, key=lambda k: k["step"])["number"] if own else None,
                        "left": first >= until.get(name, -1),
                    }
                )
        return listed

    def _put_state(self) -> None:
        run = self._runs.get(self._present, self._runs[FIRST])
        shown = {
            name: each.curves.figures for name, each in self._runs.items() if each.curves.figures
        }  # of each process, which curves are figures
        self.page.put(
            {
                "state": {
                    **self._state,
                    **run.state,
                    **run.time(),
                    "changes": self._changes(),
                    "history": self._history(),
                    "present": self._present,
                    "figures": shown,
                    "replay": self._replay(),
                }
            }
        )

    # --- what the script prints -----------------------------------------------------------------------------
    def _read(self, name: str, lines: list[tuple[str, str, int]]) -> None:
        """Show lines of output and the figures in them. lines: stream, text, and the step before it."""
        if name != self._printing:
            lines, self._printing = [("process", name, 0), *lines], name
        for stream, line, step in lines:
            self._output.append((stream, line))
            self._lines += 1
            for curves in self._runs[name].curves.read(stream, line, step):
                self.page.put(curves)
        if self._output_due is None:
            self._output_due = asyncio.get_running_loop().call_later(EVERY, self._put_output)

    def _put_output(self) -> None:
        self._output_due = None
        first = self._lines - len(self._output)
        self.page.put({"output": {"first": first, "lines": [*self._output]}})

    # --- what follows from what has happened ----------------------------------------------------------------
    def _replay(self) -> str | None:
        """The command that makes the changes by hand to the present process once more."""
        changes = [each for each in self._state["changes"] if each["run"] == self._present]
        files = [change["file"] for change in changes if change.get("file")]
        branch = next((each for each in self._state["branches"] if each["present"]), None)
        if not files and branch and branch["folder"] and branch["changes"]:  # made as it began
            files = [str(each) for each in Path(branch["folder"]).glob("*.steering.jsonl")]
        if not files:
            return None
        args = self._state.get("args") or []
        words = ["treino", "studio", str(self._state["path"]), "--replay", _from_here(files[-1])]
        return shlex.join([*words, *(["--", *args] if args else [])])

    def _reason(self, status: int | None, error: str | None) -> dict[str, Any]:
        """Why a process of the script has ended: ``why``, and what belongs to it."""
        if error == "KeyboardInterrupt" or (self._stopped and not error):  # it may have caught that itself
            return {"why": "stopped" if self._stopped else "interrupted"}
        if error:
            return {"why": "exception", **self._last_line(error)}
        if status is not None and status - 128 in {*signal.Signals}:
            return {"why": "killed", "signal": signal.Signals(status - 128).name}
        return {"why": "exited" if status else "finished", "status": status}

    def _last_line(self, error: str) -> dict[str, Any]:
        """The last line of a traceback in the output, and the line of the script that it names last."""
        printed = [line for stream, line in self._output if stream == "stderr"]
        last = next((line for line in reversed(printed) if line.partition(":")[0].endswith(error)), error)
        places = [found for line in printed if (found := re.match(r'\s*File "(.+)", line (\d+)', line))]
        own = [each for each in places if Path(each[1]).name == Path(self._state.get("path", "")).name]
        return {"text": last, "line": int(own[-1][2]) if own else None}


def _from_here(path: str) -> str:
    """A path as it is typed in the working directory."""
    here = Path.cwd()
    return str(Path(path).relative_to(here) if Path(path).is_relative_to(here) else path)


def _run_of(branch: Mapping[str, Any]) -> str:
    return f"branch-{branch['number']}" if branch["number"] else FIRST


class _Run:
    """What is shown of one process: its state and its curves."""

    def __init__(self, curves: ScriptCurves) -> None:
        self.curves = curves
        self.state: dict[str, Any] = {
            "status": "running",
            "exit": None,
            "error": None,
            "reason": None,
            "playing": True,
            "step": 0,
            "seconds": 0.0,
            "optimizers": [],
        }
        self._first: tuple[int, float] | None = None  # the first step that is seen, and its seconds

    def take(self, message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Take figures; yield the curves for the page."""
        self.state |= {key: message[key] for key in ("step", "seconds", "optimizers") if key in message}
        self._first = self._first or (message["step"], message["seconds"])
        return self.curves.take(message)

    def time(self) -> dict[str, Any]:
        """Steps per second, the number of planned steps, and the seconds left; None if unknown."""
        step, planned = self.state["step"], self.curves.planned.steps
        first, began = self._first or (0, 0.0)
        pace = (step - first) / (self.state["seconds"] - began) if step > first else None
        if planned is None or planned < step or self.state["status"] == "ended":
            return {"pace": pace, "steps_planned": None, "left_s": None}
        return {"pace": pace, "steps_planned": planned, "left_s": pace and (planned - step) / pace}
