# hint: The dot product says how much two directions have in common: (a * b).sum()
# hint: It grows with the lengths of both; divide by a.norm() and by b.norm().
# hint: return (a * b).sum() / (a.norm() * b.norm())
"""Do they point the same way?

Write cosine(a, b) for two gradients, tensors of one axis: 1 if they have the same direction, 0 if they have
nothing in common, -1 if they are opposed, whatever their lengths are. Without torch.cosine_similarity.
"""


def cosine(a, b):
    return (a * b).sum() / (a.norm() * b.norm())


def not_divided(a, b):
    """That grows with the lengths of a and b: divide by both."""
    return (a * b).sum()


def by_the_squares(a, b):
    """The lengths are a.norm() and b.norm(), not their squares."""
    return (a * b).sum() / ((a**2).sum() * (b**2).sum())


def by_one_length(a, b):
    """One of the two lengths is missing."""
    return (a * b).sum() / a.norm()


def cases():
    import torch

    yield torch.tensor([3.0, 4.0]), torch.tensor([6.0, 8.0])
    yield torch.tensor([1.0, 0.0, 2.0]), torch.tensor([-2.0, 1.0, 1.0])
    yield torch.tensor([1.0, 2.0]), torch.tensor([-3.0, 1.0])
