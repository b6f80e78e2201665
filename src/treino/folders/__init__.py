"""Folders: what is kept on disk of runs, sweeps and studies, and what a reader is told of it."""

from treino.base.lazy import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
