"""The microscope: explanations of one update of one weight, by topics, which ``topics`` lists."""

from treino.inspection.microscope import (
    accumulated_gradient,
    adamw,
    backprop,
    bce,
    cross_entropy,
    learning_rate,
    mse,
)
from treino.inspection.microscope.entry_topics import entry_topics
from treino.inspection.microscope.explanation import Topic

_OF_ENTRIES = entry_topics()
TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        mse.TOPIC,
        _OF_ENTRIES["l1"],
        _OF_ENTRIES["huber"],
        bce.TOPIC,
        cross_entropy.TOPIC,
        backprop.TOPIC,
        _OF_ENTRIES["sgd"],
        _OF_ENTRIES["momentum"],
        _OF_ENTRIES["adam"],
        adamw.TOPIC,
        learning_rate.TOPIC,
        accumulated_gradient.TOPIC,
    )
}


def topics() -> dict[str, Topic]:
    """All topics: first those with texts of their own, then the other losses and optimizers."""
    return TOPICS | {name: topic for name, topic in entry_topics().items() if name not in TOPICS}
