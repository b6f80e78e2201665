"""Read photographs: picture files in folders and archives, decoded once into pixels of one size."""

from treino.base.lazy import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
