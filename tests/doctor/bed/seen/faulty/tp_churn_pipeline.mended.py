# expect: nothing
"""Customer churn from a made-up table: a list of data steps, a net, and the share of leavers found."""
import numpy as np
import torch
from torch import nn


def make_table(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 12))
    drive = 2.0 * x[:, 0] - 1.6 * x[:, 1] + 1.2 * x[:, 2] * x[:, 3] - 3.0
    y = (rng.random(n) < 1 / (1 + np.exp(-drive))).astype(np.int64)
    return x.astype(np.float32), y


class State(dict):
    __getattr__ = dict.__getitem__
    __setattr__ = dict.__setitem__


def split(s):
    order = s.rng.permutation(len(s.x))
    cut = int(0.7 * len(order))
    s.train, s.test = order[:cut], order[cut:]


def oversample(s):
    rows = s.get("train", np.arange(len(s.x)))
    rare = rows[s.y[rows] == 1]
    extra = s.rng.choice(rare, size=(s.y[rows] == 0).sum() - len(rare))
    if "train" in s:
        s.train = np.concatenate([rows, extra])
    else:
        s.x, s.y = np.concatenate([s.x, s.x[extra]]), np.concatenate([s.y, s.y[extra]])


def scale(s):
    mean, std = s.x[s.train].mean(0), s.x[s.train].std(0)
    s.x = (s.x - mean) / std


STEPS = [split, oversample, scale]


def prepare(seed):
    s = State(rng=np.random.default_rng(seed))
    s.x, s.y = make_table(1000, seed)
    for step in STEPS:
        step(s)
    x, y = torch.from_numpy(s.x), torch.from_numpy(s.y).float()
    return x[s.train], y[s.train], x[s.test], y[s.test]


def train(model, x, y, epochs=30, batch_size=64):
    opt = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    loss_fn = nn.BCEWithLogitsLoss()
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(x)).split(batch_size):
            opt.zero_grad()
            loss = loss_fn(model(x[idx]).squeeze(1), y[idx])
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1} loss {total / len(x):.4f}")


def main():
    torch.manual_seed(23)
    x_train, y_train, x_test, y_test = prepare(23)
    model = nn.Sequential(nn.Linear(12, 48), nn.ReLU(), nn.Linear(48, 1))
    train(model, x_train, y_train)
    model.eval()
    with torch.no_grad():
        pred = (model(x_test).squeeze(1) > 0).float()
    recall = pred[y_test == 1].mean().item()
    spared = 1 - pred[y_test == 0].mean().item()
    print(f"leavers found {recall:.3f}  stayers left alone {spared:.3f}  balanced {(recall + spared) / 2:.3f}")


if __name__ == "__main__":
    main()
