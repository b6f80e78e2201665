"""The engine: trains P networks side by side; a single network is the case P = 1."""

from treino.base.lazy import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
