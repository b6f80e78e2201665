# expect: nothing
"""Streams batches of a table through a generator into plain SGD: handwritten digits, one sheet per digit, a part of each held out."""
import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from torch import nn


def load(seed=19):
    frame = load_digits(as_frame=True).frame
    frame = pd.concat([sheet for _, sheet in frame.groupby("target")], ignore_index=True)
    test = frame.groupby("target").sample(frac=0.25, random_state=seed)
    return frame.drop(index=test.index), test


def prepare(train, test):
    inputs = train.columns.drop("target")
    mean = train[inputs].to_numpy().mean()
    scaled = [part.assign(**((part[inputs] - mean) / 8.0)) for part in (train, test)]
    return scaled[0].reset_index(drop=True), scaled[1].reset_index(drop=True)


def stream(frame, size, epochs, rng):
    """Yields (epoch, inputs, labels) until the epochs are used up."""
    for epoch in range(epochs):
        frame = frame.sample(frac=1.0, random_state=rng)
        for start in range(0, len(frame), size):
            batch = frame.iloc[start:start + size]
            yield (
                epoch,
                torch.tensor(batch.drop(columns="target").to_numpy(), dtype=torch.float32),
                torch.tensor(batch["target"].to_numpy()),
            )


def train(model, frame, epochs=5, size=16, lr=0.05):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.8)
    losses = {}
    rng = np.random.default_rng(19)
    for epoch, x, y in stream(frame, size, epochs, rng):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.setdefault(epoch, []).append(loss.item())
    return pd.Series({epoch: np.mean(values) for epoch, values in losses.items()}, name="loss")


@torch.no_grad()
def evaluate(model, frame):
    model.eval()
    x = torch.tensor(frame.drop(columns="target").to_numpy(), dtype=torch.float32)
    guess = model(x).argmax(1).numpy()
    return pd.crosstab(frame["target"], pd.Series(guess, name="guess")), (guess == frame["target"]).mean()


if __name__ == "__main__":
    torch.manual_seed(19)
    train_frame, test_frame = prepare(*load())
    net = nn.Sequential(nn.Linear(64, 48), nn.Tanh(), nn.Linear(48, 10))
    print(train(net, train_frame).iloc[[0, 2, 4]].round(4).to_string())
    table, share = evaluate(net, test_frame)
    print(table.to_string())
    print(f"accuracy {share:.3f}")
