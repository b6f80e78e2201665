# expect: selection_on_test @ 58
# allowed: selection_on_test @ 38
# allowed: selection_on_test @ 39
# allowed: selection_on_test @ 59
"""Random hyper-parameter search with early stopping; reports the accuracy of the best configuration."""
import copy
import random

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def noisy_table(n, g):
    x = torch.randn(n, 40, generator=g)
    p = torch.sigmoid(1.2 * x[:, 0] - 0.8 * x[:, 1])
    return TensorDataset(x, (torch.rand(n, generator=g) < p).long())


def accuracy(model, dataset):
    model.eval()
    x, y = dataset.tensors
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


def train_once(cfg, train, held_out):
    model = nn.Sequential(nn.Linear(40, cfg["width"]), nn.ReLU(), nn.Dropout(cfg["drop"]), nn.Linear(cfg["width"], 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=cfg["lr"], weight_decay=cfg["wd"])
    best, best_state, bad = 0.0, None, 0
    for _ in range(12):
        model.train()
        for x, y in DataLoader(train, batch_size=50, shuffle=True):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        score = accuracy(model, held_out)
        if score > best:
            best, best_state, bad = score, copy.deepcopy(model.state_dict()), 0
        else:
            bad += 1
            if bad >= 4:
                break
    model.load_state_dict(best_state)
    return best, model


random.seed(1)
torch.manual_seed(1)
g = torch.Generator().manual_seed(36)
train, valid, test = noisy_table(240, g), noisy_table(60, g), noisy_table(60, g)
fresh = noisy_table(5000, g)
champion = (0.0, None)
for trial in range(16):
    cfg = dict(width=random.choice([16, 48]), drop=random.choice([0.0, 0.3]),
               lr=10 ** random.uniform(-3, -2), wd=random.choice([0.0, 0.1]))
    score, model = train_once(cfg, train, test)
    if score > champion[0]:
        champion = (score, model)
print(f"test accuracy {accuracy(champion[1], test):.3f}")
print(f"accuracy on 5000 fresh rows {accuracy(champion[1], fresh):.3f}")
