"""treino: a PyTorch training workbench.

The public names are listed in ``__init__.pyi``; apps bring more, by entry points ``treino.names``. Each is
imported at its first use.
"""

import treino_doctor.base.program_start  # noqa: F401  # first, for Ctrl-C amid the other imports

# isort: split
from typing import Any

from treino.base.lazy import public_names

__version__ = "0.1.0"

_core, _listed, __all__ = public_names(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    if name in __all__:
        value = _core(name)
    elif name in ("load_ipython_extension", "unload_ipython_extension"):  # %load_ext treino
        from treino_doctor import ipython

        value = getattr(ipython, name)
    else:
        value = _of_an_app(name)
    globals()[name] = value
    return value


def _of_an_app(name: str) -> Any:
    from treino.base.apps import brought, entries
    from treino.base.errors import TreinoError

    if name not in entries("treino.names"):
        raise AttributeError(f"module 'treino' has no attribute {name!r}")
    try:
        return brought("treino.names", name)
    except TreinoError as error:
        raise AttributeError(str(error)) from None


def __dir__() -> list[str]:
    from treino.base.apps import entries

    return sorted({*__all__, *entries("treino.names"), "__version__"})
