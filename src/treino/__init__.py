"""treino: a PyTorch training workbench.

The door: what is listed here is the public interface; everything is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_DOOR = {
    "load": ("treino.data", "load"),
    "train": ("treino.engine", "train"),
    "mlp": ("treino.engine", "mlp"),
    "engines": ("treino.engine", "engines"),
    "doctor": ("treino.diagnosis.exam", "doctor"),
    "explain": ("treino.workflows.explain", "explain"),
    "fit": ("treino.notebook", "fit"),
    "sweep": ("treino.notebook", "sweep"),
    "Sweep": ("treino.workflows.sweep.sweep", "Sweep"),
    "study": ("treino.workflows.study.study", "study"),
    "Study": ("treino.workflows.study.study", "Study"),
    "open": ("treino.workflows.study.study", "open_any"),
    "runs": ("treino.workflows.listing", "runs"),
    "Classifier": ("treino.workflows.estimators", "Classifier"),
    "Regressor": ("treino.workflows.estimators", "Regressor"),
    "Run": ("treino.workflows.run", "Run"),
    "TreinoError": ("treino.errors", "TreinoError"),
    "load_ipython_extension": ("treino.notebook", "load_ipython_extension"),  # %load_ext treino
    "unload_ipython_extension": ("treino.notebook", "unload_ipython_extension"),
}

__all__ = [
    "Classifier",
    "Regressor",
    "Run",
    "Study",
    "Sweep",
    "TreinoError",
    "doctor",
    "engines",
    "explain",
    "fit",
    "load",
    "mlp",
    "open",
    "runs",
    "study",
    "sweep",
    "train",
]

if TYPE_CHECKING:
    from treino.data import load
    from treino.diagnosis.exam import doctor
    from treino.engine import engines, mlp, train
    from treino.errors import TreinoError
    from treino.notebook import fit, sweep
    from treino.workflows.estimators import Classifier, Regressor
    from treino.workflows.explain import explain
    from treino.workflows.listing import runs
    from treino.workflows.run import Run
    from treino.workflows.study.study import Study, study
    from treino.workflows.study.study import open_any as open
    from treino.workflows.sweep.sweep import Sweep


def __getattr__(name: str) -> Any:
    if name not in _DOOR:
        raise AttributeError(f"module 'treino' has no attribute {name!r}")
    module, attribute = _DOOR[name]
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
