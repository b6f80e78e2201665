"""Measures of a trained network and its data, as arrays; ``plots`` draws them."""

from treino.base.lazy import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
