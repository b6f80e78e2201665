# hint: In __init__, keep what you get: self.rows = rows
# hint: __len__ returns len(self.rows); __getitem__ takes the row with the number i.
# hint: The inputs are row[:-1], the class is row[-1]: torch.tensor(row[:-1], dtype=torch.float32), int(row[-1])
"""A Dataset of your own

Write the class Table: it gets a list of rows, whose last number is the class. len(table) is how many rows there
are. table[i] is a pair: the inputs of row i, a float32 tensor without the class, and the class, a whole number.
"""

import torch
from torch.utils.data import Dataset


class Table(Dataset):
    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        row = self.rows[i]
        return torch.tensor(row[:-1], dtype=torch.float32), int(row[-1])


class Leaking(Table):
    """The class stands among the inputs: the network could read the answer there. Leave it out: row[:-1]."""

    def __getitem__(self, i):
        return torch.tensor(self.rows[i], dtype=torch.float32), int(self.rows[i][-1])


class Wide(Table):
    """That counts the columns; len(table) is how many rows there are."""

    def __len__(self):
        return len(self.rows[0])


class Doubled(Table):
    """The inputs are not float32: say the type, dtype=torch.float32."""

    def __getitem__(self, i):
        return torch.tensor(self.rows[i][:-1], dtype=torch.float64), int(self.rows[i][-1])


def use(function, rows):
    table = function(rows)
    found = [table[i] for i in range(len(rows))]
    return {
        "rows": len(table),
        "inputs": [x.tolist() for x, y in found],
        "type of the inputs": str(found[0][0].dtype),
        "classes": [int(y) for x, y in found],
    }


def cases():
    yield ([[14.2, 5.6, 0], [12.3, 3.3, 1]],)
    yield ([[1.0, 2.0, 3.0, 2], [4.0, 5.0, 6.0, 0], [7.0, 8.0, 9.0, 1]],)
