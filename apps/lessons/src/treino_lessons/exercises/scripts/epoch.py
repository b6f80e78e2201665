# hint: order = list(range(rows)) are all rows; random.Random(epoch).shuffle(order) puts them in an order by lot.
# hint: The seed must differ from epoch to epoch, so that the order does: take epoch for it.
# hint: return [order[start : start + size] for start in range(0, rows, size)]
"""The batches of an epoch

Write batches(rows, size, epoch): the batches of one epoch, a list of lists with the numbers of rows, from 0 on.
Every row is in exactly one batch, each batch has size rows, and only the last may have fewer. The order is
drawn by lot, another one in each epoch; the same epoch has the same order again.
"""

import random


def batches(rows, size, epoch):
    order = list(range(rows))
    random.Random(epoch).shuffle(order)
    return [order[start : start + size] for start in range(0, rows, size)]


def always_the_same(rows, size, epoch):
    """The order is the same in each epoch: draw it anew, with epoch as the seed."""
    return batches(rows, size, 0)


def without_the_last(rows, size, epoch):
    """The last rows are in no batch, because they fill no whole one: keep it, though it is short."""
    return [batch for batch in batches(rows, size, epoch) if len(batch) == size]


def drawn_again_and_again(rows, size, epoch):
    """Some rows come twice and others never: shuffle all rows once, and cut them into batches."""
    draw = random.Random(epoch)
    return [[draw.randrange(rows) for _ in batch] for batch in batches(rows, size, epoch)]


def use(function, rows, size, epochs):
    every = [[list(batch) for batch in function(rows, size, epoch)] for epoch in range(epochs)]
    again = [[list(batch) for batch in function(rows, size, epoch)] for epoch in range(epochs)]
    return {
        "sizes": [[len(batch) for batch in found] for found in every],
        "each row once": [sorted(row for batch in found for row in batch) == [*range(rows)] for found in every],
        "different orders": len({str(found) for found in every}),
        "the same again": every == again,
    }


def cases():
    yield 50, 20, 3
    yield 24, 8, 2
