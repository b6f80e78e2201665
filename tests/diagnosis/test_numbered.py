"""Tables that datasets read: known again by what they hold, and not taken for each other by chance."""

import numpy as np
import torch
from torch.utils.data import Dataset, Subset

from treino.diagnosis.watch.numbered import Tables


class Frames(Dataset):
    """Rows that are stored, and perhaps shaken."""

    def __init__(self, seed=0, labels=None, rows=60, made=torch.tensor, augment=False):
        self.frames = made(np.random.default_rng(seed).normal(size=(rows, 3)))
        self.labels = torch.arange(rows) % 4 if labels is None else labels
        self.augment = augment

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        x = self.frames[i]
        return (x + torch.randn(3) if self.augment else x), self.labels[i]


class Others(Frames):
    """Of the same table, other rows."""

    def __getitem__(self, i):
        return self.frames[i] ** 2, self.labels[i]


class Drawn(Dataset):
    """Rows that are drawn around the centre of their class."""

    def __init__(self):
        self.centres, self.labels = torch.arange(12.0).view(4, 3), torch.arange(60) % 4

    def __getitem__(self, i):
        kind = self.labels[i]
        return self.centres[kind] + torch.randn(3), kind


def table(tables, dataset):
    find = tables.rows(dataset)
    assert find is not None
    [(found, numbers)] = find([1, 2])
    assert numbers == [1, 2]
    return found


def test_a_table_that_two_datasets_read_each_for_itself_is_one():
    tables, first = Tables(), Frames()
    assert table(tables, first) == table(tables, Frames(augment=True)) == table(tables, first)
    assert table(tables, Frames(1, made=list)) != table(tables, first)
    arrays = [Frames(3, made=np.asarray), Frames(3, made=np.asarray)]
    assert table(tables, arrays[0]) == table(tables, arrays[1])
    files = [Frames(made=lambda x: [(f"{i:03}.png", i % 4) for i in range(len(x))]) for _ in range(2)]
    assert table(tables, files[0]) == table(tables, files[1])


def test_subsets_of_two_readings_have_the_rows_of_one_table():
    tables = Tables()
    one, two = Subset(Frames(), [5, 7, 9]), Subset(Frames(augment=True), [9, 11])
    rows = [tables.rows(one)([2]), tables.rows(two)([0])]
    assert rows[0] == rows[1] != tables.rows(two)([1])


def test_other_rows_labels_kinds_or_lengths_are_another_table():
    tables, first = Tables(), Frames()
    known = table(tables, first)
    others = [Frames(1), Frames(labels=torch.arange(60) % 3), Frames(rows=59), Others()]
    assert all(table(tables, other) != known for other in others)


def test_rows_that_are_drawn_by_class_are_no_table_of_their_own():
    tables, kept = Tables(), [Drawn(), Drawn()]
    assert table(tables, kept[0]) != table(tables, kept[1])
