"""The removal of whole folders of runs, sweeps and studies, for good."""

import os
import secrets
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from treino.base import lock
from treino.base.files import trouble

HIDDEN = ".deleted-"  # begins the name of a folder while its files are removed; lists skip hidden folders


def delete(paths: Sequence[Path]) -> None:
    """Delete these folders and all their files; delete none if one is in training. No link is followed.

    A folder is hidden first, at once: if this process dies meanwhile, no damaged run is left, and the next
    deletion beside it removes the rest.

    Raises:
        TreinoError: one is being written (rule ``run_busy``); a system error.
    """
    locks = [path / lock.NAME for path in paths]
    for path in paths:  # a sweep's winner has a lock of its own, and may be in training again
        locks += [Path(place) / lock.NAME for place, _folders, names in os.walk(path) if lock.NAME in names]
    busy = [file for file in locks if lock.holder(file) is not None]
    with ExitStack() as held:
        for file in dict.fromkeys((*busy, *locks)):  # the busy ones first: nothing is touched then
            held.callback(lock.release, lock.acquire(file), file)
        for path in paths:
            with trouble(path):
                os.rename(path, path.with_name(HIDDEN + secrets.token_hex(8)))
    for parent in {path.parent for path in paths}:
        for hidden in parent.glob(f"{HIDDEN}*"):
            shutil.rmtree(hidden, ignore_errors=True)  # another process may be removing it, too
