"""One ``open`` for the folders of runs, sweeps and studies: by their names, by paths, or the newest."""

from pathlib import Path

from treino.errors import TreinoError
from treino.records.access import Access
from treino.records.stored_run import StoredRun, stored_run, study_without_network
from treino.store import RunFolder, find
from treino.studies.stored_study import StoredStudy
from treino.tuning.member import member_run, parted, sweep_folder
from treino.tuning.stored_sweep import StoredSweep, best_of
from treino.words import _

Stored = StoredRun | StoredSweep | StoredStudy


def open_folder(
    name: str | Path = "last",
    access: Access | None = None,
    *,
    parent: str | Path = "runs",
    verify: bool = True,
) -> Stored:
    """The run, sweep or study of that name in ``parent``, or in that folder, or the newest one (``last``);
    or the network 17 of a sweep (``SWEEP:17``), where its weights are kept.

    verify: compare every file with its SHA-256.

    Raises:
        TreinoError: there is none (with the nearest name), a damaged one (with the file), a newer format.
    """
    access = access or Access()
    if (named := parted(name)) is not None:
        return member_run(sweep_folder(named[0], parent), named[1], access)
    return stored(RunFolder.open(find(name, parent), verify=verify), access)


def stored(folder: RunFolder, access: Access | None = None) -> Stored:
    """What lies in the folder, by its kind."""
    if folder.kind == "sweep":
        return StoredSweep(folder, access)
    return StoredStudy(folder) if folder.kind == "study" else stored_run(folder, access)


def open_run(
    name: str | Path = "last",
    access: Access | None = None,
    *,
    parent: str | Path = "runs",
    verify: bool = True,
) -> StoredRun:
    """The run of that name; of a sweep its winner. See ``open_folder``.

    Raises:
        TreinoError: as ``open_folder``; it is a study, which keeps no network.
    """
    return run_in(open_folder(name, access, parent=parent, verify=verify))


def run_in(found: Stored) -> StoredRun:
    """The run itself; of a sweep its winner.

    Raises:
        TreinoError: it is a study, which keeps no network; a sweep without a winner.
    """
    if isinstance(found, StoredStudy):
        raise study_without_network(found.folder)
    return best_of(found.folder, found.access) if isinstance(found, StoredSweep) else found


def networks_together(name: str | Path, top: int) -> StoredRun:
    """The best ``top`` networks of a sweep as one run, which answers with their mean.

    Raises:
        TreinoError: it is no sweep, or keeps fewer.
    """
    found = open_folder(name)
    if not isinstance(found, StoredSweep):
        raise TreinoError(
            "top_of_a_run",
            _("{name} is a run, a single network.").format(name=found.name),
            _("Leave [[top]] out, or name a sweep."),
        )
    return found.together(top)
