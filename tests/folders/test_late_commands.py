"""Commands that come while a run is sealed are in it, or refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.folders.test_processes import lines, wait
from treino.base.errors import TreinoError
from treino.base.files import KINDS
from treino.folders.store import RunFolder

SENDERS = 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_command_that_comes_while_a_folder_is_sealed_is_in_it_or_refused(
    tmp_path: Path, fork: Callable[..., int], kind: str, thorough: bool
) -> None:
    log, rounds = tmp_path / "log", 70 if thorough else 12
    senders = [fork("send", tmp_path, log, rounds) for _ in range(SENDERS)]
    for number in range(rounds):
        with RunFolder.create(out=tmp_path / str(number), kind=kind) as folder:
            heard: set[int] = set()
            while heard != set(senders):
                assert "Traceback" not in "".join(lines(log))
                heard |= {command.value for command in folder.database.poll_commands()}
            folder.database.add_losses(0, 0, np.ones(number % 7, np.float32))
            folder.seal("stopped")
        taken = [line.split() for line in wait(log, SENDERS * (number + 1))[-SENDERS:]]
        assert {place for place, _count in taken} == {str(number)}
        commands = RunFolder.open(folder.path).database.commands()
        assert len(commands) == sum(int(count) for _place, count in taken)
        assert {command.state for command in commands} == {"refused"}
        assert sorted(each.name for each in folder.path.iterdir()) == ["manifest.json", "run.sqlite"]


def test_nobody_is_heard_from_the_end_of_the_training_on(tmp_path: Path) -> None:
    with RunFolder.create(out=tmp_path / "a") as folder:
        other = RunFolder.open(folder.path)
        other.database.add_command("lr", 0.1)
        folder.refuse_commands()
        folder.refuse_commands()
        assert other.status == "running"
        with pytest.raises(TreinoError, match="a is ending: no process trains it") as caught:
            other.database.add_command("lr", 0.2)
        assert caught.value.rule == "not_running"
        assert [(each.value, each.state) for each in other.database.commands()] == [(0.1, "refused")]
    other.database.add_command("lr", 0.3)  # its writer is gone, as if it had died
    with folder.lock():
        assert [each.value for each in folder.database.poll_commands()] == [0.3]
        other.database.add_command("lr", 0.4)
