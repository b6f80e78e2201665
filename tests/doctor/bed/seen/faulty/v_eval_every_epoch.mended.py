# expect: nothing
"""Batch-normed classifier on moons, validated after each epoch, early stopping."""
import copy

import torch
import torch.nn as nn
from sklearn.datasets import make_moons

torch.manual_seed(14)


def standard(n, seed):
    X, y = make_moons(n, noise=0.22, random_state=seed)
    X = torch.tensor(X, dtype=torch.float32)
    return (X - torch.tensor([0.5, 0.25])) / torch.tensor([0.87, 0.5]), torch.tensor(y)


def validate(model, x, y):
    model.eval()
    with torch.no_grad():
        logits = model(x)
        loss = nn.functional.cross_entropy(logits, y).item()
        acc = (logits.argmax(1) == y).float().mean().item()
    return loss, acc


def make_model():
    return nn.Sequential(
        nn.Linear(2, 48), nn.BatchNorm1d(48), nn.ReLU(),
        nn.Dropout(0.2), nn.Linear(48, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 2))


def train(model, data, val, max_epochs=25, patience=6):
    x, y = data
    opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    best, best_state, bad = float("inf"), None, 0
    for epoch in range(max_epochs):
        model.train()
        for idx in torch.randperm(len(x)).split(50):
            opt.zero_grad()
            nn.functional.cross_entropy(model(x[idx]), y[idx]).backward()
            opt.step()
        vloss, vacc = validate(model, *val)
        if vloss < best - 1e-4:
            best, best_state, bad = vloss, copy.deepcopy(model.state_dict()), 0
        else:
            bad += 1
        if epoch % 4 == 0:
            print(f"epoch {epoch} val loss {vloss:.4f} acc {vacc:.3f}")
        if bad >= patience:
            print("stopping at", epoch)
            break
    model.load_state_dict(best_state)


net = make_model()
train(net, standard(1000, 0), standard(300, 1))
print("test loss %.4f acc %.3f" % validate(net, *standard(500, 2)))
