"""Commands of the child processes of the store's tests: one per line on stdin, a number on stdout."""

import os
import resource
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from treino.base.errors import TreinoError
from treino.base.files import write_atomically
from treino.folders.store import RunFolder
from treino.folders.store.checkpoint import SLOTS

if TYPE_CHECKING:
    import torch

CHUNK = 5


def loss(step: int) -> float:
    """The loss of update number `step`, known to writer and reader."""
    return float(np.float32(np.sin(step) + 1 / (step + 1)))


def state(step: int) -> "torch.Tensor":
    """The parameters after `step` updates, known to writer and reader."""
    import torch

    return torch.arange(2000.0) * (step + 1)


def write(path: str, log: str, end: str) -> None:
    """Take the run up where its last checkpoint is and train on; tell `log` what was promised to be kept."""
    folder = RunFolder.open(path)
    folder.unseal()
    kept = folder.last_checkpoint()
    step = 0 if kept is None else int(kept[1]["step"])
    database = folder.database
    database.cut(0, step, step // 10)
    database.add_event(0, step, "taken up")
    told = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while step < int(end):
        database.add_losses(0, step, np.array([loss(s) for s in range(step, step + CHUNK)], np.float32))
        step += CHUNK
        if step % 10 == 0:
            database.add_epoch(0, step // 10, "train", "loss", loss(step))
            folder.checkpoint({"w": state(step)}, {"step": step})
            os.write(told, f"{step}\n".encode())
    folder.write_tensors("model.safetensors", {"w": state(step)}, {})
    folder.write_json("result.json", {"steps": step})
    folder.seal("finished")
    os.write(told, b"sealed\n")


def create(parent: str, log: str, ready: str, start: str, count: str) -> None:
    """Make the file `ready`; as soon as the file `start` is there, make `count` runs and tell their names."""
    Path(ready).touch()
    while not os.path.exists(start):
        pass
    for _each in range(int(count)):
        with RunFolder.create(parent=parent, stem="wine") as folder:
            folder.write_json("spec.json", {"process": os.getpid()})
            _tell(log, folder.path.name)


def hold(path: str, log: str) -> None:
    """Take the run's lock and keep it."""
    RunFolder.open(path).lock()
    _tell(log, "held")
    signal.pause()


def send(parent: str, log: str, rounds: str) -> None:
    """Send commands to one run of `parent` after the other until it takes none; tell how many it took."""
    test = os.getppid()  # whose end is this one's, too
    for number in range(int(rounds)):
        path, taken = Path(parent) / str(number), 0
        while not (path / "manifest.json").exists():
            if os.getppid() != test:
                return
            time.sleep(0.0002)
        folder = RunFolder.open(path, verify=False)
        while folder.status == "running" and os.getppid() == test:
            try:
                folder.database.add_command("lr", os.getpid())
            except TreinoError as error:
                if error.rule == "run_busy":  # the disk is: SQLite's own patience is over
                    continue
                if error.rule != "not_running":
                    raise
                break
            taken += 1
            time.sleep(0.002)  # or SQLite keeps the others waiting
        _tell(log, f"{number} {taken}")


def orphan(path: str, log: str) -> None:
    """Take the lock, fork a worker that lives on, and wait to be killed."""
    folder = RunFolder.open(path).lock()
    worker = os.fork()
    if worker == 0:
        try:
            folder.write_json("spec.json", {})
        except TreinoError as error:
            _tell(log, f"{os.getpid()} {error.rule}")
        signal.pause()
    signal.pause()


def crowded(path: str, log: str, limit: str) -> None:
    """Write losses where no file may grow over `limit` bytes, then without the limit."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    folder = RunFolder.open(path).lock()
    database = folder.database
    _soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), hard))
    step = whole = 0
    try:
        while True:
            database.add_losses(0, step, np.full(1000, step, np.float32))
            step += 1000
            database.flush()
            whole = step
    except TreinoError as error:
        _tell(log, f"{whole} {step} {error.rule} {error.status} {error.message}")
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    database.flush()
    folder.seal("stopped")
    _tell(log, "sealed")


def read_as_nobody(path: str, log: str) -> None:
    """Read a run without the right to write anything in it."""
    if os.getuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    folder = RunFolder.open(path)
    kept = [len(folder.read_bytes(name)) > 0 for name in SLOTS]
    refused = ""
    try:
        write_atomically(Path(path) / "spec.json", b"")
    except TreinoError as error:
        refused = error.rule
    _tell(log, f"{folder.status} {len(folder.database.losses())} {sum(kept)} {refused}")


def _tell(log: str, line: str) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


ORDERS = {each.__name__: each for each in (write, create, hold, send, orphan, crowded, read_as_nobody)}


def main() -> None:
    """Fork a child per order until stdin ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that nobody has to wait for them
    print("ready", flush=True)
    for line in sys.stdin:
        order, *words = line.rstrip("\n").split("\t")
        if order == "write":  # loading torch takes long, so only where it is needed, and once for all
            import torch

            torch.set_num_threads(1)
        number = os.fork()
        if number == 0:
            try:
                ORDERS[order](*words)
            except BaseException:
                _tell(words[1], traceback.format_exc())
            os._exit(0)
        print(number, flush=True)


if __name__ == "__main__":
    main()
