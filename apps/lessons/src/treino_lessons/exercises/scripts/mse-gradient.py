# hint: The mean squared error divides by how many numbers there are: 3 rows of 5 are 15.
# hint: The slope of (p - y)**2 by p is 2 * (p - y).
# hint: return 2 * (pred - y) / pred.numel()
"""The gradient of the squared error

Write gradient(pred, y): what stands in pred.grad after nn.MSELoss()(pred, y).backward(). Both are tensors of
the same shape. Without backward.
"""


def gradient(pred, y):
    return 2 * (pred - y) / pred.numel()


def by_rows(pred, y):
    """You divide by the number of rows; the mean is over all numbers, pred.numel()."""
    return 2 * (pred - y) / len(pred)


def without_two(pred, y):
    """The 2 is missing, which comes from the square."""
    return (pred - y) / pred.numel()


def wrong_way(pred, y):
    """The sign is wrong: where the prediction is too high, the loss grows with it."""
    return 2 * (y - pred) / pred.numel()


def not_a_mean(pred, y):
    """That is the gradient of the sum; the loss is the mean: divide by pred.numel()."""
    return 2 * (pred - y)


def cases():
    import torch

    torch.manual_seed(0)
    yield torch.randn(3, 5), torch.randn(3, 5)
    yield torch.randn(4, 1), torch.randn(4, 1)
