from typing import Any

from treino.api import Run as Run
from treino.api import Study as Study
from treino.api import Sweep as Sweep
from treino.api import open as open
from treino.api import rows as rows
from treino.api import runs as runs
from treino.api import study as study
from treino.base import words as words
from treino.base.errors import TreinoError as TreinoError
from treino.data.loader import load as load
from treino.engine.kernels.selection import engines as engines
from treino.engine.nets import cnn as cnn
from treino.engine.nets import mlp as mlp
from treino.engine.training_loop import train as train
from treino.notebook import fit as fit
from treino.notebook import sweep as sweep
from treino.reports.explanation import explain as explain
from treino.sklearn import Classifier as Classifier
from treino.sklearn import Regressor as Regressor
from treino_doctor.exam import doctor as doctor

__version__: str

def __getattr__(name: str) -> Any: ...  # what apps bring: studio, button
