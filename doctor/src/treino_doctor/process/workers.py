"""Other processes of a script that train: one of each kind is examined, and it sends its log back.

``torch.multiprocessing.spawn`` and ``multiprocessing.Process`` start a function, a launcher such as
``torch.distributed.run`` starts programs. For each function, the first process is examined, which is rank 0;
for programs that have a rank, rank 0. A process writes its log to a folder of the process that started it.
"""

import functools
import multiprocessing
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import spawn, util
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from treino_doctor.exam import Account, Exam
from treino_doctor.record import hooks, lines

RANKS = "RANK", "OMPI_COMM_WORLD_RANK", "SLURM_PROCID"  # the variables of torchrun, mpirun and srun
OF_TORCH = ("torch.", "multiprocessing.", "concurrent.")  # loaders' workers, pools, managers
IMPORTED = f"""\
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
import treino_doctor
del sys.path[0]
from treino_doctor.process.workers import begin, main"""
FIRST = 100  # priority of the finalizer at a process's end
FLAGS = ("-u", "-O", "-B", "-I", "-E", "-s", "-S")  # Python's flags without a value


def is_first() -> bool:
    """Whether this process is rank 0 of a distributed training, or has no rank."""
    return next((os.environ[name] for name in RANKS if name in os.environ), "0") == "0"


class Workers:
    """The other processes of one script. others: how many were started and not examined.

    inside: whether this process is itself one of them, forked and examined. folder: for what they saw.
    """

    def __init__(self, launcher: bool) -> None:
        self.others, self.inside, self._pid = 0, False, 0
        self._launcher, self._forking, self.folder = launcher, False, ""
        self._names, self._functions = set[str](), set[Any]()  # _names: of processes to be examined

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Examine the processes that the program starts within the block."""
        self.folder, self._pid = tempfile.mkdtemp(prefix="treino-doctor-"), os.getpid()
        starts, opens = BaseProcess.start, subprocess.Popen.__init__
        prepares = spawn.get_preparation_data
        hooks.in_child.append(self._forked)
        BaseProcess.start = self._starting(starts)  # type: ignore[method-assign]
        subprocess.Popen.__init__ = self._opening(opens)  # type: ignore[method-assign]
        spawn.get_preparation_data = self._preparing(prepares)
        try:
            yield
        finally:
            BaseProcess.start = starts  # type: ignore[method-assign]
            subprocess.Popen.__init__ = opens  # type: ignore[method-assign]
            spawn.get_preparation_data = prepares
            hooks.in_child.remove(self._forked)
            if os.getpid() == self._pid and not self.inside:
                with suppress(OSError):
                    for path in Path(self.folder).iterdir():
                        path.unlink()
                    os.rmdir(self.folder)

    def accounts(self) -> list[Account]:
        """What the processes that have ended saw."""
        every = []
        for path in sorted(Path(self.folder).glob("*.account")) if self.folder else ():
            with suppress(OSError, EOFError, pickle.UnpicklingError):
                every.append(pickle.loads(path.read_bytes()))
        return every

    def _starting(self, original: Any) -> Any:
        @functools.wraps(original)
        def start(process: Any) -> Any:
            chosen = self._chooses(process)
            if not chosen:
                return original(process)
            self._names.add(process.name)
            own = getattr(process, "_start_method", None)
            if (own or multiprocessing.get_start_method(allow_none=False)) == "fork":
                self._forking = hooks.continuing = True
            try:
                return original(process)
            finally:
                self._forking = hooks.continuing = False

        return lines.unseen(start)

    def _chooses(self, process: Any) -> bool:
        """Whether a process is the first that runs its function, and that is a function of the program."""
        target = getattr(process, "_target", None)
        if target is None and type(process).run is not BaseProcess.run:
            target = type(process).run
        spawned = getattr(target, "__module__", "") == "torch.multiprocessing.spawn"
        function = process._args[0] if spawned and process._args else target
        function = getattr(function, "func", function)  # unwrap a functools.partial
        code = getattr(function, "__code__", None)
        own = spawned or (code is not None and lines.is_own(code.co_filename))
        key = getattr(function, "__qualname__", "") or type(function).__qualname__
        chosen = own and os.getpid() == self._pid and key not in self._functions
        self._functions.add(key)
        library = str(getattr(function, "__module__", "")).startswith(OF_TORCH) and not spawned
        self.others += not chosen and not library
        return chosen

    def _forked(self) -> None:
        """Go on as an examined process, or as one that nobody follows."""
        self._names.clear()
        if self._forking:
            self._forking, hooks.continuing = False, False
            self.inside, self._pid = True, os.getpid()

    def _preparing(self, original: Any) -> Any:
        @functools.wraps(original)
        def get_preparation_data(name: str) -> dict[str, Any]:
            data: dict[str, Any] = original(name)
            if name in self._names:
                self._names.discard(name)
                data["treino_doctor"] = Beginning(self.folder)
            return data

        return get_preparation_data

    def _opening(self, original: Any) -> Any:
        @functools.wraps(original)
        def opening(popen: Any, args: Any, *rest: Any, **kwargs: Any) -> None:
            with suppress(TypeError, ValueError):
                args = self._followed(args, kwargs.get("env") or os.environ)
            original(popen, args, *rest, **kwargs)

        return lines.unseen(opening)

    def _followed(self, command: Any, environment: Any) -> Any:
        """The command of a Python program that a launcher starts as rank 0, made to run under the doctor."""
        words = [os.fspath(w) for w in command] if isinstance(command, (list, tuple)) else []
        if not words or words[0] != sys.executable or os.getpid() != self._pid:
            return command
        ranked = environment.get("RANK") if self._launcher or environment.get("WORLD_SIZE") else None
        first = ranked == "0" if ranked is not None else self._launcher
        at = next((i for i, word in enumerate(words) if i and word not in FLAGS), len(words))
        program = words[at : at + 1] == ["-m"] or (at < len(words) and words[at].endswith(".py"))
        if not program or not first:
            self.others += program
            return command
        return [*words[:at], "-c", f"{IMPORTED}\nmain()", self.folder, *words[at:]]


class Beginning:
    """Starts the examination when a spawned process unpickles it, before the program is imported there."""

    def __init__(self, folder: str) -> None:
        self.folder, self.files = folder, sorted(lines.watched_files())

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (f"{IMPORTED}\nbegin({self.folder!r}, {self.files!r})", {})


def begin(folder: str, files: Sequence[str]) -> None:
    """Examine this process from now on, until multiprocessing ends it."""
    for path in files:
        lines.watch_file(path)
    exam = Exam().start()

    def finish() -> None:
        error = sys.exc_info()[0]
        exam.stop(finished=error is None, error="" if error is None else error.__name__)
        write(folder, exam)

    def at_the_end(_: Exam) -> None:
        if os.getpid() == own:  # not in a worker of a loader
            util.Finalize(None, finish, exitpriority=FIRST)

    own = os.getpid()
    at_the_end(exam)
    util.register_after_fork(exam, at_the_end)  # a process that a fork server forks starts anew


def write(folder: str, exam: Exam) -> None:
    """Write an examination that has ended to a folder."""
    with suppress(OSError):
        place = Path(folder) / f"{os.getpid()}.writing"
        place.write_bytes(pickle.dumps(exam.account()))
        place.rename(place.with_suffix(".account"))


def main() -> None:
    """Run ``FOLDER PROGRAM ARGUMENTS``, or ``FOLDER -m MODULE ARGUMENTS``, as Python would."""
    from treino_doctor.process.run_script import run_script

    folder, *words = sys.argv[1:]
    module = words[0] == "-m"
    target, *arguments = words[1:] if module else words
    outcome = run_script(target, arguments, module=module, report=lambda ended: write(folder, ended.exam))
    sys.exit(outcome.status)
