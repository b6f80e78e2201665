# hint: Which class does a row get? That of its largest output: outputs.argmax(1).
# hint: .tolist() makes a list of the classes that some row gets.
# hint: Go through range(outputs.shape[1]), and keep each class that is not in that list.
"""Which class is nowhere?

Write missing(outputs): the list of the classes that no row gets. outputs is what a network answers: a tensor
with one row for each point, and one column for each class. A point gets the class of its largest output.
"""


def missing(outputs):
    given = outputs.argmax(1).tolist()
    return [c for c in range(outputs.shape[1]) if c not in given]


def along_the_wrong_axis(outputs):
    """argmax(0) looks for the largest row of each column; the largest column of each row is argmax(1)."""
    given = outputs.argmax(0).tolist()
    return [c for c in range(outputs.shape[1]) if c not in given]


def those_that_are_there(outputs):
    """Those are the classes that some row gets; wanted are the others."""
    return outputs.argmax(1).tolist()


def use(function, outputs):
    return sorted(set(function(outputs)))


def cases():
    import torch

    yield (torch.tensor([[0.1, 2.0, -1.0], [0.0, 0.5, 0.4], [3.0, 1.0, 2.0], [0.2, 0.9, 0.1]]),)
    yield (torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),)
    yield (torch.tensor([[0.0, -1.0, 5.0, 1.0], [0.0, -1.0, 6.0, 1.0]]),)
