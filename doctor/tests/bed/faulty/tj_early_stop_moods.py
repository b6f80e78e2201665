# expect: selection_on_test @ 67
# allowed: selection_on_test @ 49
# allowed: selection_on_test @ 50
# allowed: selection_on_test @ 56
# mend: 67 →     ran = fit(model, data["train"], data["valid"])
"""GRU on short made-up mood diaries with noisy answers; the best epoch is kept by a fit() helper with patience."""
import copy

import numpy as np
import torch
from torch import nn


def diaries(n, rng, days=8):
    x = rng.normal(size=(n, days, 2)).astype(np.float32)
    score = x[:, -3:, 0].sum(1) - x[:, :3, 1].sum(1)
    y = (score + 1.5 * rng.normal(size=n) > 0).astype(np.int64)
    return torch.from_numpy(x), torch.from_numpy(y)


class MoodNet(nn.Module):
    def __init__(self, hidden=16):
        super().__init__()
        self.gru = nn.GRU(2, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 2)

    def forward(self, x):
        return self.out(self.gru(x)[1][-1])


def accuracy(model, data):
    x, y = data
    model.eval()
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


def fit(model, train, held_out, epochs=20, patience=8, lr=1e-2, batch=50):
    """Trains and leaves the model with the weights of its best epoch."""
    x, y = train
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    best, best_state, waited = -1.0, None, 0
    for epoch in range(epochs):
        model.train()
        for idx in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[idx]), y[idx]).backward()
            optimizer.step()
        figure = accuracy(model, held_out)
        if figure > best:
            best, best_state, waited = figure, copy.deepcopy(model.state_dict()), 0
        else:
            waited += 1
            if waited >= patience:
                break
    model.load_state_dict(best_state)
    return epoch + 1


def main():
    rng = np.random.default_rng(5)
    torch.manual_seed(5)
    x, y = diaries(800, rng)
    parts = {"train": slice(0, 300), "valid": slice(300, 550), "test": slice(550, 800)}
    data = {name: (x[rows], y[rows]) for name, rows in parts.items()}
    model = MoodNet()
    ran = fit(model, data["train"], data["test"])
    print(f"stopped after {ran} epochs")
    for name in parts:
        print(f"{name:>5s} accuracy {accuracy(model, data[name]):.3f}")


if __name__ == "__main__":
    main()
