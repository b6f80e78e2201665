"""Data: from any source to prepared rows in three splits, and what is known about them."""

from treino.data.batches import batches, order
from treino.data.dataset import Data, Rows, Task
from treino.data.describing.description import describe
from treino.data.known.builtin import BUILTINS
from treino.data.loading import load
from treino.data.preparing.predicting import Prepared, rows_for_prediction
from treino.data.preparing.preparation import Preparation
from treino.data.seeding import generator

__all__ = [
    "BUILTINS",
    "Data",
    "Preparation",
    "Prepared",
    "Rows",
    "Task",
    "batches",
    "describe",
    "generator",
    "load",
    "order",
    "rows_for_prediction",
]
