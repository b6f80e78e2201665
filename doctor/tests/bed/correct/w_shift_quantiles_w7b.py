# expect: nothing
"""Waiting times in a clinic as three quantiles; the rows come sorted by day and are shuffled before the split; early stopping with a saved checkpoint."""
import os
import tempfile

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler

LEVELS = torch.tensor([0.1, 0.5, 0.9])


def load(n=2400, seed=12):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"day": np.sort(rng.integers(0, 300, n)), "minute": rng.uniform(0, 600, n)})
    frame["weekday"] = frame.day % 5
    frame["staff"] = rng.integers(2, 7, n)
    frame["queue"] = rng.poisson(4 + 3 * (frame.weekday == 0))
    typical = 6 + 14 * frame.queue / frame.staff + 4 * np.sin(frame.minute / 600 * np.pi)
    frame["wait"] = typical * np.exp(rng.normal(0, 0.25, n))
    return frame


def design(frame):
    wide = frame[["minute", "staff", "queue"]].astype(float)
    wide["busy"] = wide.queue / wide.staff
    return wide.join(pd.get_dummies(frame["weekday"], prefix="d", dtype=float))


class Waits(Dataset):
    def __init__(self, inputs, minutes):
        self.x = torch.tensor(np.asarray(inputs), dtype=torch.float32)
        self.y = torch.tensor(np.asarray(minutes), dtype=torch.float32)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, index):
        return self.x[index], self.y[index]


def pinball(guess, actual):
    gap = actual.unsqueeze(1) - guess
    return torch.maximum(LEVELS * gap, (LEVELS - 1) * gap).mean()


class QuantileNet(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(inputs, 32), nn.SiLU(), nn.Linear(32, 3))

    def forward(self, x):
        low, step1, step2 = self.body(x).unbind(1)
        middle = low + nn.functional.softplus(step1)
        return torch.stack([low, middle, middle + nn.functional.softplus(step2)], dim=1)


@torch.no_grad()
def predict(model, data):
    model.eval()
    return model(data.x)


def main():
    torch.manual_seed(12)
    frame = load().sample(frac=1.0, random_state=12, ignore_index=True)
    train, val, test = frame.iloc[:1400], frame.iloc[1400:1900], frame.iloc[1900:]
    inputs = design(train)
    mean, std = inputs.mean(), inputs.std()
    centre, width = train.wait.mean(), train.wait.std()
    make = lambda part: Waits((design(part) - mean) / std, (part.wait - centre) / width)
    train, val, test = make(train), make(val), make(test)

    batches = BatchSampler(RandomSampler(train), batch_size=56, drop_last=False)
    loader = DataLoader(train, sampler=batches, batch_size=None)
    model = QuantileNet(train.x.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    with tempfile.TemporaryDirectory() as folder:
        path, best, waited = os.path.join(folder, "best.pt"), float("inf"), 0
        for epoch in range(25):
            model.train()
            for x, y in loader:
                optimizer.zero_grad()
                pinball(model(x), y).backward()
                optimizer.step()
            current = pinball(predict(model, val), val.y).item()
            if current < best:
                best, waited = current, 0
                torch.save({"model": model.state_dict(), "epoch": epoch}, path)
            elif (waited := waited + 1) >= 5:
                break
        saved = torch.load(path)
    model.load_state_dict(saved["model"])

    guess = predict(model, test)
    below = (test.y.unsqueeze(1) <= guess).float().mean(0)
    constant = torch.quantile(train.y, LEVELS).expand(len(test), 3)
    print(f"kept epoch {saved['epoch']}, validation {best:.4f}")
    print(f"test pinball {pinball(guess, test.y):.4f}, constant quantiles {pinball(constant, test.y):.4f}")
    print("share below", " ".join(f"{q:.1f}: {share:.3f}" for q, share in zip(LEVELS.tolist(), below.tolist())))


if __name__ == "__main__":
    main()
