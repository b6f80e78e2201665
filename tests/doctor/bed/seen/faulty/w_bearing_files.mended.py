# expect: nothing
"""Bearing state from vibration recordings: one array per recording and a table with the state of each, joined by recording number."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split

STATES = ["sound", "inner", "outer"]


def archive(count=480, length=64, seed=23):
    """What the logger leaves behind: {name: samples} and the inspector's table in order of number."""
    rng = np.random.default_rng(seed)
    state = rng.integers(0, 3, count)
    t = np.arange(length)
    files = {}
    for number in range(count):
        wave = rng.normal(0, 0.7, length)
        if state[number]:
            period = {1: 8, 2: 13}[int(state[number])]
            wave += 2.2 * ((t + rng.integers(period)) % period == 0)
        files[f"rec_{number}"] = wave.astype("float32")
    return files, pd.DataFrame({"number": np.arange(count), "state": [STATES[s] for s in state]})


class Recordings(Dataset):
    def __init__(self, files, table):
        self.names = sorted(files, key=lambda name: int(name.split("_")[1]))
        waves = np.stack([files[name] for name in self.names])
        power = np.abs(np.fft.rfft(waves, axis=1))[:, 1:]
        self.x = torch.tensor(np.log1p(power), dtype=torch.float32)
        self.y = torch.tensor(table.sort_values("number")["state"].map(STATES.index).to_numpy())

    def __len__(self):
        return len(self.names)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class Classifier(nn.Module):
    def __init__(self, bins, classes):
        super().__init__()
        self.register_buffer("mean", torch.zeros(bins))
        self.register_buffer("std", torch.ones(bins))
        self.layers = nn.Sequential(nn.Linear(bins, 48), nn.ReLU(), nn.Dropout(0.2), nn.Linear(48, classes))

    def fit_scale(self, x):
        self.mean.copy_(x.mean(0))
        self.std.copy_(x.std(0))

    def forward(self, x):
        return self.layers((x - self.mean) / self.std)


def run():
    torch.manual_seed(23)
    data = Recordings(*archive())
    train, test = random_split(data, [0.75, 0.25], generator=torch.Generator().manual_seed(23))
    model = Classifier(data.x.shape[1], len(STATES))
    model.fit_scale(data.x[train.indices])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    for epoch in range(15):
        model.train()
        total = 0.0
        for x, y in DataLoader(train, batch_size=40, shuffle=True):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2d}  train loss {total / len(train):.3f}")

    model.eval()
    with torch.no_grad():
        right = sum((model(x).argmax(1) == y).sum().item() for x, y in DataLoader(test, batch_size=120))
    print(f"test accuracy {right / len(test):.3f}")


if __name__ == "__main__":
    run()
