"""``live/`` of a run's folder: the state that a training shows while somebody watches.

A watcher touches ``live/watched`` every second. While that file is recent, the training process writes its
newest state to ``live/state.safetensors``. These files don't belong to the run: they are in no manifest, are
not flushed to disk, and are removed at the end.
"""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treino.errors import TreinoError
from treino.store import files
from treino.store.encoding import array_parts, tensor_value

if TYPE_CHECKING:
    from torch import Tensor

FOLDER = "live"
FRESH = 3.0  # seconds for which a touch holds
WATCHED, STATE = f"{FOLDER}/watched", f"{FOLDER}/state.safetensors"


class LiveFolder:
    """The folder ``live/`` of the run in ``run``. A full disk or a missing folder never stops a training or a
    watcher: then no state is shown."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self._watched, self._state = run / WATCHED, run / STATE

    @property
    def watched(self) -> bool:
        """Whether somebody watches."""
        try:
            return time.time() - os.stat(self._watched).st_mtime < FRESH
        except OSError:
            return False

    def watch(self) -> None:
        """Register a watcher for the next seconds."""
        with suppress(TreinoError, OSError):
            path = files.inside(self.run, WATCHED)
            path.parent.mkdir(exist_ok=True)
            path.touch()

    def show(self, tensors: "Mapping[str, Tensor]", meta: Mapping[str, Any]) -> None:
        """Replace the state."""
        with suppress(TreinoError, OSError):
            path = files.inside(self.run, STATE)
            path.parent.mkdir(exist_ok=True)
            arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
            files.replace_at_once(path, array_parts(arrays, meta))

    @property
    def stamp(self) -> int:
        """A number that changes with every new state; 0 without a state."""
        try:
            status = os.stat(self._state)
        except OSError:
            return 0
        return status.st_mtime_ns ^ (status.st_ino << 1)

    def state(self) -> "tuple[dict[str, Tensor], dict[str, Any]] | None":
        """The present state."""
        try:
            path = files.inside(self.run, STATE)
            return tensor_value(files.read_bytes(path), path)
        except TreinoError:
            return None

    def close(self) -> None:
        """Remove all files."""
        for path in (self._state, self._watched):
            with suppress(OSError):
                path.unlink()
        with suppress(OSError):
            self._state.parent.rmdir()
