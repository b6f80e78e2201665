"""The microscope: the arithmetic of one update of one weight, a file for each topic, all in one registry."""

from treino.inspection.microscope import mse
from treino.inspection.microscope.explanation import Topic

TOPICS: dict[str, Topic] = {module.TOPIC.name: module.TOPIC for module in (mse,)}
