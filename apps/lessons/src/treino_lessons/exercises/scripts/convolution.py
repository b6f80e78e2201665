# hint: The map has len(picture) - len(kernel) + 1 rows, and as many columns likewise.
# hint: Two loops, over row and column: the window is picture[row : row + k, column : column + k].
# hint: Each place of the map is (window * kernel).sum().
"""Slide a window over a picture

Write convolved(picture, kernel): the map of a picture, a tensor of two axes, and a square kernel. At each place of
the map stands the sum of the window's numbers times the kernel's. No zeros are put around the picture, so the map is
smaller. Without torch's own convolutions.
"""

import torch


def convolved(picture, kernel):
    k = len(kernel)
    rows, columns = picture.shape[0] - k + 1, picture.shape[1] - k + 1
    found = torch.zeros(rows, columns)
    for row in range(rows):
        for column in range(columns):
            found[row, column] = (picture[row : row + k, column : column + k] * kernel).sum()
    return found


def flipped(picture, kernel):
    """Your kernel is turned round; networks multiply it as it stands."""
    return convolved(picture, kernel.flip(0, 1))


def one_too_few(picture, kernel):
    """The last window on the right and below is missing: there are size - k + 1 places."""
    return convolved(picture, kernel)[:-1, :-1]


def the_mean(picture, kernel):
    """That is the mean over the window; the sum is wanted."""
    return convolved(picture, kernel) / kernel.numel()


def cases():
    picture = torch.tensor([[0.0, 1.0, 2.0, 0.0], [3.0, 1.0, 0.0, 1.0], [0.0, 2.0, 4.0, 1.0]])
    yield picture, torch.tensor([[1.0, 0.0], [0.5, -1.0]])
    yield picture, torch.tensor([[1.0, 2.0, -1.0], [0.0, 1.0, 0.0], [3.0, 0.0, 1.0]])
