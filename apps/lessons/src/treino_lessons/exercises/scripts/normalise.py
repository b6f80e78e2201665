# hint: Which rows may have a say in mean and deviation? Those that the network learns from.
# hint: mean = train.mean(0) and deviation = train.std(0, correction=0): one number for each column.
# hint: Both tables are shifted and scaled by the same numbers: (train - mean) / deviation, (test - mean) / deviation
"""The scaler, by hand

Write normalised(train, test): both tables, shifted and scaled so that the columns of train have mean 0 and
deviation 1. They are tensors. As StandardScaler does, divide by n in the deviation: train.std(0, correction=0).
"""


def normalised(train, test):
    mean, deviation = train.mean(0), train.std(0, correction=0)
    return (train - mean) / deviation, (test - mean) / deviation


def each_by_its_own(train, test):
    """The test rows are scaled by their own mean: the network would see other numbers than it has learned on."""
    return tuple((rows - rows.mean(0)) / rows.std(0, correction=0) for rows in (train, test))


def by_all_rows(train, test):
    """The test rows have had a say in mean and deviation: take those of train alone."""
    import torch

    both = torch.cat([train, test])
    return tuple((rows - both.mean(0)) / both.std(0, correction=0) for rows in (train, test))


def by_one_less(train, test):
    """Nearly: torch divides by n - 1 unless you write correction=0."""
    return tuple((rows - train.mean(0)) / train.std(0) for rows in (train, test))


def one_number_for_all(train, test):
    """One mean for the whole table leaves a column of large numbers large: one for each column, mean(0)."""
    return tuple((rows - train.mean()) / train.std(correction=0) for rows in (train, test))


def cases():
    import torch

    torch.manual_seed(0)
    yield 3 * torch.randn(6, 2) + torch.tensor([13.0, 5.0]), torch.randn(3, 2)
    yield torch.tensor([[1.0, 100.0], [3.0, 300.0]]), torch.tensor([[2.0, 400.0]])
