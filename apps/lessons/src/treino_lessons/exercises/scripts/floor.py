# hint: Softmax: e to the power of each logit, divided by the sum of all of these.
# hint: The loss is -math.log of the probability at the place right.
# hint: powers = [math.exp(logit) for logit in logits], then -math.log(powers[right] / sum(powers))
"""Cross-entropy, by hand

Write cross_entropy(logits, right): what CrossEntropyLoss gives for one row. logits is a list of numbers, one for
each class, and right the number of the right class. Softmax makes probabilities of them, once.
"""

import math


def cross_entropy(logits, right):
    powers = [math.exp(logit) for logit in logits]
    return -math.log(powers[right] / sum(powers))


def twice(logits, right):
    """That is softmax twice: it can't come below its floor, however sure the network is."""
    powers = [math.exp(logit) for logit in logits]
    return cross_entropy([power / sum(powers) for power in powers], right)


def without_minus(logits, right):
    """The smaller a loss, the better: a minus is missing, for the logarithm of a probability is below 0."""
    return -cross_entropy(logits, right)


def the_probability(logits, right):
    """That is the probability of the right class; the loss is -math.log of it."""
    return math.exp(-cross_entropy(logits, right))


def without_softmax(logits, right):
    """The sum of all powers is missing: probabilities add up to 1."""
    return -float(logits[right])


def cases():
    yield [2.0, 0.0, -1.0], 0
    yield [2.0, 0.0, -1.0], 2
    yield [0.0] * 10, 3
    yield [8.0, 0.0], 0
