"""Data: reads any source, splits and prepares its rows, and describes them."""

from treino.data.builtins import BUILTINS
from treino.data.dataset import Data
from treino.data.loader import load
from treino.data.preparation.new_rows import PreparedRows, rows_for_prediction
from treino.data.preparation.preparation import Preparation, Task
from treino.data.rows import Rows, batches, generator, order
from treino.data.summaries.description import describe

__all__ = [
    "BUILTINS",
    "Data",
    "Preparation",
    "PreparedRows",
    "Rows",
    "Task",
    "batches",
    "describe",
    "generator",
    "load",
    "order",
    "rows_for_prediction",
]
