"""Pupils' files run in forks of a process that has imported torch, in place of new processes."""

from pathlib import Path

import pytest

import forked
from treino_lessons.tasks import process


def in_a_fork(command: list[str], _seconds: float) -> process.Ended:
    code = (
        "import sys; sys.stdout.reconfigure(write_through=True)\n"
        "from treino_lessons.tasks.__main__ import main; sys.exit(main(argv[1:]))"
    )
    ended = forked._forked(code, command[-6:], Path.cwd(), "")
    return process.Ended(ended.out + ended.err, ended.status)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    forked._forked("", [], Path.cwd(), "")  # the process that is forked has imported torch
    monkeypatch.setattr(process, "run_apart", in_a_fork)
    monkeypatch.setattr("treino_lessons.tasks.exercise.SECONDS", 1.0)
