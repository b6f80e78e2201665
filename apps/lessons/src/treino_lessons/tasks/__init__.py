"""The course's tasks: exercises, which are functions to write, and katas, which are scripts to mend."""

from treino_lessons.tasks.exercise import Exercise
from treino_lessons.tasks.kata import Kata

AnyTask = Exercise | Kata
KINDS: dict[str, type[AnyTask]] = {kind.kind: kind for kind in (Exercise, Kata)}
