# hint: Go through the dataset from 0 to len(dataset) in jumps of batch_size: range(0, len(dataset), batch_size)
# hint: Of each batch collect the inputs in one list and the classes in another.
# hint: torch.stack(xs) makes one tensor of the inputs, torch.tensor(ys) one of the classes.
"""A DataLoader, by hand

Write load(dataset, batch_size): the list of the batches, in the order of the rows. Each batch is a pair: the
inputs as one tensor with a row for each, and their classes as one tensor. dataset[i] is a pair (x, y), and
len(dataset) says how many there are. Without DataLoader.
"""

import torch


def load(dataset, batch_size):
    batches = []
    for start in range(0, len(dataset), batch_size):
        rows = [dataset[i] for i in range(start, min(start + batch_size, len(dataset)))]
        batches.append((torch.stack([x for x, y in rows]), torch.tensor([y for x, y in rows])))
    return batches


def without_the_last(dataset, batch_size):
    """The last rows are missing: the last batch may be short, but it counts."""
    return [batch for batch in load(dataset, batch_size) if len(batch[1]) == batch_size]


def one_batch(dataset, batch_size):
    """That is all rows at once: cut them into batches of batch_size."""
    return load(dataset, len(dataset))


def use(function, dataset, batch_size):
    return [(len(x), x.tolist(), y.tolist()) for x, y in function(dataset, batch_size)]


def cases():
    yield [(torch.tensor([float(i), float(i * i)]), i % 3) for i in range(5)], 2
    yield [(torch.tensor([1.0]), 0), (torch.tensor([2.0]), 1)], 2
