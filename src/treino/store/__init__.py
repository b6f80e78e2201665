"""Run, sweep and study folders: written so that nothing is lost, read so that no damage goes unseen."""

from treino.store.database import Command, Database, EpochValue, Event
from treino.store.folder import RunFolder
from treino.store.run_lookup import RunSummary, find, list_runs

__all__ = ["Command", "Database", "EpochValue", "Event", "RunFolder", "RunSummary", "find", "list_runs"]
