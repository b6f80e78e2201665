"""Rows that are arrays with axes, or several arrays each."""

from treino.base.lazy import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
