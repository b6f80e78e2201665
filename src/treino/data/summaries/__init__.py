"""Describe a table or images and their problems, before training."""

from treino.base.lazy import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
