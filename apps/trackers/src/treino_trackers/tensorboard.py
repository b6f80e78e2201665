"""TensorBoard: event files in ``tensorboard/NAME``, beside the folder of runs.

https://docs.pytorch.org/docs/stable/tensorboard.html
"""

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.summary.writer.record_writer import RecordWriter
from torch.utils.tensorboard import summary

from treino_trackers.tracker import SweepTable, TrackedEnd, TrackedRun, plain_settings

FOLDER = "tensorboard"


class TensorBoard:
    """Writes a file of events for each run, without torch's writer: errors in its thread can't be caught."""

    def begin(self, run: TrackedRun) -> None:
        self.settings = plain_settings(run.settings)
        folder = run.path.resolve().parent.parent / FOLDER / run.name
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time_ns()}.{socket.gethostname()}.{os.getpid()}"
        self.events = EventFile(folder / name)

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        for name, value in figures.items():
            self.events.add(summary.scalar(name, value), step)

    def finish(self, end: TrackedEnd) -> None:
        add, figures = self.events.add, {f"end/{name}": v for name, v in end.figures.items()}
        for part in summary.hparams(self.settings, figures):
            add(part)
        for name, value in figures.items():
            add(summary.scalar(name, value))
        add(summary.text("status", ", ".join((end.status, *end.tags))))
        for path in end.pictures:
            from PIL import Image

            picture = np.asarray(Image.open(path).convert("RGB"))
            add(summary.image(path.stem, picture, dataformats="HWC"))
        if end.table is not None:
            add(summary.text("members", markdown(end.table)))
        if end.folder is not None:
            add(summary.text("folder", str(end.folder)))


class EventFile:
    """A file in TensorBoard's format, one record per event; closed after each write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._append(Event(wall_time=time.time(), file_version="brain.Event:2"))

    def add(self, part: Any, step: int = 0) -> None:
        self._append(Event(wall_time=time.time(), step=step, summary=part))

    def _append(self, event: Any) -> None:
        with self.path.open("ab") as file:
            RecordWriter(file).write(event.SerializeToString())


def markdown(table: SweepTable) -> str:
    lines = [table.columns, ["---"] * len(table.columns), *table.rows]
    return "\n".join("| " + " | ".join("" if c is None else str(c) for c in line) + " |" for line in lines)
