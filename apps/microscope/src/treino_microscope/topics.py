"""The microscope: explanations of one update of one weight, by topics, which ``topics`` lists."""

from treino.inspection.microscope import backprop, descents
from treino.inspection.microscope.explanation import Topic
from treino.inspection.microscope.loss_topics import loss_topics
from treino.inspection.microscope.optimizer_topics import optimizer_topics


def topics() -> dict[str, Topic]:
    """All topics, including those of registered losses and optimizers."""
    back = {backprop.TOPIC.name: backprop.TOPIC}
    return loss_topics() | back | optimizer_topics() | {topic.name: topic for topic in descents.TOPICS}


TOPICS = topics()
