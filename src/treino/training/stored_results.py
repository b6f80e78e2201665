"""Opens runs, sweeps and studies by name, by path, or the newest one."""

from contextlib import suppress
from pathlib import Path

from treino.base.errors import TreinoError
from treino.folders.access import Access
from treino.folders.documents.listing import whole_folders
from treino.folders.store import RunFolder, find
from treino.folders.stored_run import StoredRun, study_without_network
from treino.training.sweeps.member import member_run, parse_member, sweep_folder
from treino.training.sweeps.stored_sweep import StoredStudy, StoredSweep

Stored = StoredRun | StoredSweep | StoredStudy


def open_folder(
    name: str | Path = "last",
    access: Access | None = None,
    *,
    parent: str | Path = "runs",
    verify: bool = True,
) -> Stored:
    """Open the run, sweep or study with this name in ``parent``, at this path, or the newest one (``last``);
    or network 17 of a sweep (``SWEEP:17``), if its weights are kept.

    verify: compare every file with its SHA-256.

    Raises:
        TreinoError: no such folder (with the nearest name), a damaged one (with the file), a newer format.
    """
    access = access or Access()
    if (named := parse_member(name)) is not None:
        return member_run(sweep_folder(named[0], parent), named[1], access)
    return stored(RunFolder.open(find(name, parent), verify=verify), access)


def stored(folder: RunFolder, access: Access | None = None) -> Stored:
    """The run, sweep or study in the folder, depending on its kind."""
    if folder.kind == "sweep":
        return StoredSweep(folder, access)
    return StoredStudy(folder, access) if folder.kind == "study" else StoredRun(folder, access)


def open_run(
    name: str | Path = "last",
    access: Access | None = None,
    *,
    parent: str | Path = "runs",
    verify: bool = True,
) -> StoredRun:
    """Open a run, or the winner of a sweep. See ``open_folder``.

    Raises:
        TreinoError: as ``open_folder``; a study, which keeps no network.
    """
    return run_in(open_folder(name, access, parent=parent, verify=verify))


def run_in(result: Stored) -> StoredRun:
    """A run itself, or a sweep's winner.

    Raises:
        TreinoError: a study, which keeps no network; a sweep without a winner.
    """
    if isinstance(result, StoredStudy):
        raise study_without_network(result.folder)
    return result.best if isinstance(result, StoredSweep) else result


def open_all(parent: str | Path = "runs") -> list[Stored]:
    """Open all runs, sweeps and studies in ``parent``, the newest first, without damaged ones."""
    results: list[Stored] = []
    for path in whole_folders(parent):
        with suppress(TreinoError):
            results.append(stored(RunFolder.open(path)))
    return results
