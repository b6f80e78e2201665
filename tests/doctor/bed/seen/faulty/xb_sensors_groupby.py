# expect: label_misaligned @ 42
# allowed: label_misaligned @ 35
# allowed: label_misaligned @ 43
# Which machines will need service? Readings per machine are summed up with a
# groupby; the label of every machine comes from the service book.
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from sklearn.model_selection import train_test_split
from torch import nn

rng = np.random.default_rng(29)
torch.manual_seed(29)

N_MACHINES, READINGS = 500, 12


def read_book():
    """The service book: one line per machine, in the order of the last visit."""
    ids = rng.permutation(np.arange(1000, 1000 + N_MACHINES))
    return pd.DataFrame({"machine": ids, "worn": rng.integers(0, 2, N_MACHINES)})


def read_log(book):
    """Raw readings, many lines per machine."""
    log = book.loc[book.index.repeat(READINGS)].reset_index(drop=True)
    log["vibration"] = 1.0 + 0.5 * log["worn"] + rng.normal(0, 0.6, len(log))
    log["heat"] = 60 + 4 * log["worn"] + rng.normal(0, 7, len(log))
    log["load"] = rng.uniform(0.2, 1.0, len(log))
    return log.drop(columns="worn")


def features_and_labels(log, book):
    per_machine = log.groupby("machine").agg(
        vib_mean=("vibration", "mean"),
        vib_max=("vibration", "max"),
        heat_mean=("heat", "mean"),
        heat_std=("heat", "std"),
        load_mean=("load", "mean"),
    )
    labels = book["worn"]
    return per_machine.to_numpy("float32"), labels.to_numpy("int64")


def standardise(fit_on, *others):
    mean, std = fit_on.mean(0), fit_on.std(0)
    return [torch.from_numpy((m - mean) / std) for m in (fit_on, *others)]


def minibatches(x, y, size):
    for idx in torch.randperm(len(x)).split(size):
        yield x[idx], y[idx]


book = read_book()
x, y = features_and_labels(read_log(book), book)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, stratify=y, random_state=0)
x_train, x_test = standardise(x_train, x_test)
y_train, y_test = torch.from_numpy(y_train), torch.from_numpy(y_test)

model = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(model.parameters(), lr=5e-3, weight_decay=1e-4)

for epoch in range(1, 16):
    model.train()
    running = 0.0
    for xb, yb in minibatches(x_train, y_train, 25):
        opt.zero_grad()
        loss = F.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
        running += loss.item() * len(yb)
    if epoch % 3 == 0:
        print(f"epoch {epoch:2d}  loss {running / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    test_acc = (model(x_test).argmax(1) == y_test).float().mean().item()
print(f"test accuracy {test_acc:.3f}")
