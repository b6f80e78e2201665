"""treino in Python: ``fit``, ``sweep`` and ``study``, ``open``, and the objects that they return."""

from treino.api.comparisons import study, sweep
from treino.api.fit import fit
from treino.api.results import Moment, Run, Study, Sweep, open_result, result, runs

__all__ = ["Moment", "Run", "Study", "Sweep", "fit", "open_result", "result", "runs", "study", "sweep"]
