"""TensorBoard: event files in ``tensorboard/NAME``, beside the folder of runs.

https://docs.pytorch.org/docs/stable/tensorboard.html
"""

from collections.abc import Mapping

import numpy as np
from torch.utils.tensorboard.writer import SummaryWriter

from treino.tracking.tracker import SweepTable, TrackedEnd, TrackedRun, plain_settings

FOLDER = "tensorboard"


class TensorBoard:
    """A writer of event files for each run."""

    def begin(self, run: TrackedRun) -> None:
        self.settings = plain_settings(run.settings)
        self.writer = SummaryWriter(str(run.path.resolve().parent.parent / FOLDER / run.name))

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        for name, value in figures.items():
            self.writer.add_scalar(name, value, step)

    def finish(self, end: TrackedEnd) -> None:
        w = self.writer
        w.add_hparams(self.settings, {f"end/{name}": v for name, v in end.figures.items()}, run_name=".")
        w.add_text("status", ", ".join((end.status, *end.tags)))
        for path in end.pictures:
            from PIL import Image

            w.add_image(path.stem, np.asarray(Image.open(path).convert("RGB")), dataformats="HWC")
        if end.table is not None:
            w.add_text("members", markdown(end.table))
        if end.folder is not None:
            w.add_text("folder", str(end.folder))
        w.close()


def markdown(table: SweepTable) -> str:
    lines = [table.columns, ["---"] * len(table.columns), *table.rows]
    return "\n".join("| " + " | ".join("" if c is None else str(c) for c in line) + " |" for line in lines)
