"""What runs, sweeps and studies have in common once they are stored: a folder, its name and its status."""

from pathlib import Path

from treino.records.access import Access
from treino.store import RunFolder


class StoredFolder:
    """Nothing is read before it is needed. access: to its rows and to networks of the user's own."""

    def __init__(self, folder: RunFolder, access: Access | None = None) -> None:
        self.folder = folder
        self.access = access or Access()

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def name(self) -> str:
        return self.folder.path.name

    @property
    def status(self) -> str:
        """running, finished, stopped, interrupted or diverged (of several networks: where all did)."""
        return self.folder.status
