"""Run a script under the studio, from its file to its exit status."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from treino.base.console import console, line
from treino.base.errors import TreinoError
from treino.base.files import digest
from treino.base.words import _, interface
from treino_doctor.process.run_script import WATCHERS, run_script
from treino_studio.script.json_socket import socket_of_environment
from treino_studio.script.session import Session
from treino_studio.script.steering import Change, SteeringFile, SteeringHeader, differences, read_steering

WATCHERS.append(f"{Path(__file__).parents[1]}{os.sep}")


def run(
    script: str,
    args: Sequence[str],
    *,
    record: str | None = None,
    replay: str | None = None,
    findings: bool = False,
) -> int:
    """Run ``python script args``, watched and steered by the server at the other end of the socket.

    record: the file that records changes; default for ``train.py``: ``train.steering.jsonl`` in the working
    directory. replay: such a file, to repeat its changes at their steps. findings: run the doctor, too.
    Return the script's exit status, or 2 if the script can't be run.
    """
    server = socket_of_environment()
    if server is not None:
        about = {"path": script, "args": list(args), "pid": os.getpid(), "examined": findings}
        server.post({"script": about})
    try:
        header = SteeringHeader(
            script=script, sha256=_digest(script), args=tuple(args), torch=str(torch.__version__)
        )
        path = Path(record or f"{Path(script).stem}.steering.jsonl").absolute()
        changes: Sequence[Change] = ()
        warnings: list[str] = []
        if replay is not None:
            before, changes = read_steering(Path(replay))
            warnings = differences(before, header)
        session = Session(server, SteeringFile(path, header), changes)
        for warning in warnings:
            session.warn(warning)
        session.install()
        try:
            with interface("keyword"):
                return run_script(
                    script,
                    args,
                    examine=findings,
                    live=session.post_finding if findings else None,
                    report=session.finish,
                ).status
        finally:
            session.uninstall()
    except TreinoError as error:
        errors = console(sys.stderr)
        errors.print(line((_("error: "), "bold red"), error.message))
        if error.hint:
            errors.print(line((_(" next: "), "bold"), error.hint))
        if server is not None:
            server.post({"error": error.document})
            server.post({"end": {"status": error.status, "steps": 0, "error": None}})
            server.close(1.0)
        return error.status


def _digest(script: str) -> str:
    """SHA-256 of the script's text; "" if it can't be read, an error that is raised later."""
    try:
        return digest(Path(script).read_bytes())
    except OSError:
        return ""
