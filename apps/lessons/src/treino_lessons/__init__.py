"""The course's exercise ``forward(loader, net, epoch, mode)``: a learner's function compared with the engine.

``check(forward)`` calls it as a course does, ``"train"`` then ``"test"`` for two epochs of three steps, on a
small network with batch norm and dropout, in float32 and float64, and names the first thing that differs from
the engine's training on the same batches. ``python -m treino_lessons FILE.py`` does the same with a file.
"""

from pathlib import Path

from treino.base.lazy import public_names
from treino.base.words import add_catalogue

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
add_catalogue("treino_lessons", Path(__file__).parent / "locale")
