"""Labels that a script keeps outside of torch, as it compares them with what it took of a net's answers."""

import sys
from types import FrameType

import numpy as np
import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.scores import compared_with
from treino.diagnosis.record.lines import is_own
from treino.diagnosis.watch.where import locals_of


def labels_beside(said: torch.Tensor) -> np.ndarray | None:
    """The labels [N] that the running line, or one of its function, compares these answers [N] with."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_own(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None or said.dim() != 1:
        return None
    names = compared_with(Site(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
    known = locals_of(frame) if names else {}
    for name in names:
        value = known.get(name, frame.f_globals.get(name))
        if value is said:
            continue
        value = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value
        value = getattr(value, "values", value)  # of a table's column
        if isinstance(value, np.ndarray) and value.shape == tuple(said.shape) and value.dtype.kind in "iub":
            return value.astype(np.int64)
    return None
