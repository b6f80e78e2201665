"""Folders of runs, sweeps and studies: written durably, and checked for damage when read."""

from treino.store.database import Command, Database, EpochValue, Event
from treino.store.folder import RunFolder
from treino.store.run_lookup import RunSummary, find, list_runs

__all__ = ["Command", "Database", "EpochValue", "Event", "RunFolder", "RunSummary", "find", "list_runs"]
