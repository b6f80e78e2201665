"""treino: a PyTorch training workbench.

The names listed here are the public interface. Each is imported at its first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_DOOR = {
    "load": ("treino.data", "load"),
    "train": ("treino.engine", "train"),
    "mlp": ("treino.engine", "mlp"),
    "cnn": ("treino.engine", "cnn"),
    "engines": ("treino.engine", "engines"),
    "doctor": ("treino_doctor.exam", "doctor"),
    "explain": ("treino.reports.explanation", "explain"),
    "fit": ("treino.notebook", "fit"),
    "sweep": ("treino.notebook", "sweep"),
    "Sweep": ("treino.api", "Sweep"),
    "study": ("treino.api", "study"),
    "Study": ("treino.api", "Study"),
    "open": ("treino.api", "open_result"),
    "rows": ("treino.api", "rows"),
    "runs": ("treino.api", "runs"),
    "Classifier": ("treino.sklearn", "Classifier"),
    "Regressor": ("treino.sklearn", "Regressor"),
    "Run": ("treino.api", "Run"),
    "TreinoError": ("treino.errors", "TreinoError"),
    "button": ("treino.studio.script", "button"),
    "studio": ("treino.studio", ""),  # the package, which can be called
    "load_ipython_extension": ("treino_doctor.ipython", "load_ipython_extension"),  # %load_ext treino
    "unload_ipython_extension": ("treino_doctor.ipython", "unload_ipython_extension"),
}

__all__ = [
    "Classifier",
    "Regressor",
    "Run",
    "Study",
    "Sweep",
    "TreinoError",
    "button",
    "cnn",
    "doctor",
    "engines",
    "explain",
    "fit",
    "load",
    "mlp",
    "open",
    "rows",
    "runs",
    "studio",
    "study",
    "sweep",
    "train",
]

if TYPE_CHECKING:
    from treino.api import Run, Study, Sweep, rows, runs, study
    from treino.api import open_result as open
    from treino.data import load
    from treino.engine import cnn, engines, mlp, train
    from treino.errors import TreinoError
    from treino.notebook import fit, sweep
    from treino.reports.explanation import explain
    from treino.sklearn import Classifier, Regressor
    from treino.studio.from_python import studio
    from treino.studio.script import button
    from treino_doctor.exam import doctor


def __getattr__(name: str) -> Any:
    if name not in _DOOR:
        raise AttributeError(f"module 'treino' has no attribute {name!r}")
    module, attribute = _DOOR[name]
    value = import_module(module)
    value = getattr(value, attribute) if attribute else value
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
