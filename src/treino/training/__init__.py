"""Train networks: one alone (here), many at once or in turns (``sweeps``), searched for (``search``)."""

from treino.base.lazy import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
