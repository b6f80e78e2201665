"""Finds training faults about which PyTorch stays silent: ``with treino_doctor.doctor() as exam``."""

import treino_doctor.base.program_start  # noqa: F401  # first, for Ctrl-C amid the other imports

# isort: split
from importlib import import_module
from typing import TYPE_CHECKING, Any

from treino_doctor.base.garbage_collection import no_collections

__version__ = "0.1.0"
__all__ = ["Exam", "Finding", "TreinoError", "doctor"]

if TYPE_CHECKING:
    from treino_doctor.base.errors import TreinoError
    from treino_doctor.exam import Exam, doctor
    from treino_doctor.finding import Finding

_PLACES = {"Exam": "exam", "Finding": "finding", "TreinoError": "base.errors", "doctor": "exam"}
_PLACES |= dict.fromkeys(("load_ipython_extension", "unload_ipython_extension"), "ipython")


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'treino_doctor' has no attribute {name!r}")
    with no_collections():  # they would scan every object that torch has made
        return getattr(import_module(f"treino_doctor.{_PLACES[name]}"), name)
