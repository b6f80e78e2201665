"""The settings of a training: one table, from which flags, JSON, defaults and docs are derived."""

from treino.base.lazy import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
