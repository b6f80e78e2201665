# hint: The promise is lr times the sum of the squares of all numbers of the gradient.
# hint: (g**2).sum() is that sum for one tensor g; there may be several.
# hint: return lr * sum((g**2).sum() for g in gradients)
"""What the slope promises

Write promised(gradients, lr): by how much the loss would fall in one step of rate lr, if the ground went on
as steep as it is underfoot. gradients is a list of tensors, one for each tensor of weights.
"""


def promised(gradients, lr):
    return lr * sum((g**2).sum() for g in gradients)


def by_length(gradients, lr):
    """That is the length of the gradient; the promise takes its square: no root."""
    return lr * sum((g**2).sum() for g in gradients) ** 0.5


def not_squared(gradients, lr):
    """Squares are missing: a slope of -3 promises as much as one of 3."""
    return lr * sum(g.sum() for g in gradients)


def without_the_rate(gradients, lr):
    """A step of half the rate promises half as much: lr is missing."""
    return sum((g**2).sum() for g in gradients)


def only_the_first(gradients, lr):
    """That is the promise of the first tensor alone; add those of all."""
    return lr * (gradients[0] ** 2).sum()


def cases():
    import torch

    yield [torch.tensor([3.0, -4.0])], 0.1
    yield [torch.tensor([[1.0, 2.0], [0.0, -1.0]]), torch.tensor([0.5])], 0.01
