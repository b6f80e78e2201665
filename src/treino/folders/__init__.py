"""Folders: what is stored on disk for runs, sweeps and studies, and how a reader gets it back."""

from treino.base.lazy import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
