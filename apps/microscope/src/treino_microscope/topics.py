"""All topics of ``treino explain``, in their order."""

from treino_microscope import backprop, descents
from treino_microscope.explanation import Topic
from treino_microscope.loss_topics import loss_topics
from treino_microscope.optimizer_topics import optimizer_topics


def topics() -> dict[str, Topic]:
    """All topics, including those of registered losses and optimizers."""
    back = {backprop.TOPIC.name: backprop.TOPIC}
    return loss_topics() | back | optimizer_topics() | {topic.name: topic for topic in descents.TOPICS}
