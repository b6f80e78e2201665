"""What an export wrote, and how far it was checked."""

from pathlib import Path
from typing import NamedTuple


class Exported(NamedTuple):
    """paths: the files, the main one first. rows: on how many it was checked; apart: the largest difference
    of an answer to the run's, a probability or a number in deviations of the target; both None: unchecked."""

    paths: tuple[Path, ...]
    rows: int | None = None
    apart: float | None = None
