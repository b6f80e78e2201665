"""Folders of runs, sweeps and studies: written durably, and checked for damage when read."""

from treino.folders.store.change import Change as Change
from treino.folders.store.database import Command as Command
from treino.folders.store.database import Database as Database
from treino.folders.store.database import EpochValue as EpochValue
from treino.folders.store.database import Event as Event
from treino.folders.store.folder import RunFolder as RunFolder
from treino.folders.store.run_lookup import RunSummary as RunSummary
from treino.folders.store.run_lookup import find as find
from treino.folders.store.run_lookup import list_runs as list_runs
