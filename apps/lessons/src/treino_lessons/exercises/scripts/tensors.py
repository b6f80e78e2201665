# hint: torch.tensor(rows) takes the type of what it gets: whole numbers become int64.
# hint: Say the type: torch.tensor(rows, dtype=...). Inputs are float32, classes are long.
# hint: return torch.tensor(rows, dtype=torch.float32), and after a comma the classes in the same way.
"""From lists to tensors

Write tensors(rows, classes): the two tensors that a network for classes needs. rows is a list of rows of
numbers, classes the list of their classes. Return both, x and y, each of the type that PyTorch wants.
"""

import torch


def tensors(rows, classes):
    x = torch.tensor(rows, dtype=torch.float32)
    y = torch.tensor(classes, dtype=torch.long)
    return x, y


def types_as_they_come(rows, classes):
    """A row of whole numbers gives int64 here, and the network refuses it: say the type."""
    return torch.tensor(rows), torch.tensor(classes)


def classes_as_numbers(rows, classes):
    """The classes must be long: CrossEntropyLoss takes them for the places of the right outputs."""
    return torch.tensor(rows).float(), torch.tensor(classes).float()


def twice_as_exact(rows, classes):
    """That is float64. The weights of a network are float32, and both must have the same type."""
    return torch.tensor(rows).double(), torch.tensor(classes)


def use(function, rows, classes):
    x, y = function(rows, classes)
    return [str(x.dtype), str(y.dtype), x, y]


def cases():
    yield [[14.2, 5.6], [12.3, 3.3]], [0, 1]
    yield [[14, 5], [12, 3], [11, 2]], [0, 2, 1]
