"""The microscope: explanations of one update of one weight. Each topic has a file; ``TOPICS`` lists them."""

from treino.inspection.microscope import (
    accumulated_gradient,
    adam,
    adamw,
    backprop,
    bce,
    cross_entropy,
    huber,
    l1,
    learning_rate,
    momentum,
    mse,
    sgd,
)
from treino.inspection.microscope.entry_topics import entry_topics
from treino.inspection.microscope.explanation import Topic

TOPICS: dict[str, Topic] = {
    module.TOPIC.name: module.TOPIC
    for module in (
        mse,
        l1,
        huber,
        bce,
        cross_entropy,
        backprop,
        sgd,
        momentum,
        adam,
        adamw,
        learning_rate,
        accumulated_gradient,
    )
}


def topics() -> dict[str, Topic]:
    """All topics: first the topics with a file, then the other losses and optimizers of the registries."""
    return TOPICS | {name: topic for name, topic in entry_topics().items() if name not in TOPICS}
