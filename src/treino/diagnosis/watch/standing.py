"""The tables that a training takes its rows from: found among what the lines that train hold when it begins.

What a net is called with is looked at in windows, so that of a long epoch only some rows are known one by
one; a table is known as a whole.
"""

import sys
from collections import deque
from collections.abc import Iterator
from types import FrameType, FunctionType, ModuleType
from typing import Any

import numpy as np
import torch

from treino.diagnosis.record.lines import is_own
from treino.diagnosis.record.tables import as_array
from treino.diagnosis.watch.columns import MEASURED, Columns
from treino.diagnosis.watch.tables import StandingSeen, hash_rows
from treino.diagnosis.watch.where import locals_of

MOST = 200_000  # rows of a table
LARGE = 20_000_000  # numbers in it
FEW = 4  # tables of one training
DEEP = 4  # objects, one within the other
REACH = 2000  # objects that are looked at
PARTS = 64  # of a list or a dict
SINGLE = (int, float, str, bytes, type, type(None), FunctionType, ModuleType)


def standing(
    flat_ND: np.ndarray, known: dict[tuple[int, int], StandingSeen] | None = None
) -> list[StandingSeen]:
    """The tables in reach of the running lines that all of a batch's rows are from, [N, D] of float32; the
    batch itself is none. known: those that were found before, by their hash, to which new ones are added.
    """
    known = {} if known is None else known
    n, width = flat_ND.shape
    if not n or width > MEASURED:
        return []
    batch, found = hash_rows(flat_ND), list[StandingSeen]()
    for rows_ND in _tables(width):
        if not n < len(rows_ND) <= MOST or rows_ND.size > LARGE:
            continue
        hashes = hash_rows(rows_ND)
        if not np.isin(batch, hashes).all():
            continue
        key = len(hashes), int(hashes.sum())
        if key not in known:
            columns = Columns()
            columns.add(rows_ND)
            columns.settle()
            known[key] = StandingSeen(columns, frozenset(hashes.tolist()))
        if all(known[key] is not t for t in found):
            found.append(known[key])
        if len(found) == FEW:
            break
    return found


def _tables(width: int) -> Iterator[np.ndarray]:
    """What of this width is held by names of the person's running functions, by objects, by datasets."""
    for value in _held():
        if isinstance(value, torch.Tensor):
            plain = value.is_floating_point() and value.device.type == "cpu" and value.layout is torch.strided
            if plain and value.dim() >= 2 and len(value) and value.numel() == width * len(value):
                yield as_array(value).reshape(len(value), width)
        elif isinstance(value, np.ndarray):
            plain = value.dtype.kind == "f" and value.ndim >= 2 and len(value) > 0
            if plain and value.size == width * len(value):
                yield value.reshape(len(value), width)


def _held() -> Iterator[Any]:
    """Objects in reach of the person's functions that run, innermost first, each once."""
    known: set[int] = set()
    waiting: deque[tuple[Any, int]] = deque()
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if is_own(frame.f_code.co_filename):
            waiting.extend((value, 0) for value in locals_of(frame).values())
            if id(frame.f_globals) not in known:
                known.add(id(frame.f_globals))
                waiting.extend((value, 0) for value in list(frame.f_globals.values()))
        frame = frame.f_back
    while waiting and len(known) < REACH:
        value, deep = waiting.popleft()
        if id(value) in known or isinstance(value, SINGLE):
            continue
        known.add(id(value))
        yield value
        if deep < DEEP:
            waiting.extend((part, deep + 1) for part in _parts(value))


def _parts(value: Any) -> list[Any]:
    """What an object holds: of containers, and of datasets, loaders and a person's own classes."""
    if type(value) in (list, tuple):
        return list(value[:PARTS])
    if type(value) is dict:
        return list(value.values())[:PARTS]
    kind = type(value)
    module = sys.modules.get(kind.__module__)
    own = is_own(getattr(module, "__file__", None) or "<") or kind.__module__ == "__main__"
    held = getattr(value, "__dict__", None) if own or kind.__module__.startswith("torch.utils.data") else None
    return list(held.values())[:PARTS] if type(held) is dict else []
