"""Folders of runs, sweeps and studies: written durably, and checked for damage when read."""

from treino.folders.store.change import Change
from treino.folders.store.database import Command, Database, EpochValue, Event
from treino.folders.store.folder import RunFolder
from treino.folders.store.run_lookup import RunSummary, find, list_runs

__all__ = [
    "Change",
    "Command",
    "Database",
    "EpochValue",
    "Event",
    "RunFolder",
    "RunSummary",
    "find",
    "list_runs",
]
