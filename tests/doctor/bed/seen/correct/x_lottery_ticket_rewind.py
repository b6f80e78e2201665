# expect: nothing
# looks suspicious: gradients of pruned weights are set to zero between backward and step, weights are put
# back to their start by .data, and the same optimizer class is built again for every round.
import copy

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
digits = load_digits()
x_train, x_test, y_train, y_test = train_test_split(
    torch.tensor(digits.data, dtype=torch.float32) / 16,
    torch.tensor(digits.target),
    test_size=0.2,
    random_state=0,
)
EPS = 1e-6


def train(model, optimizer, criterion):
    model.train()
    for rows in torch.randperm(len(x_train)).split(64):
        optimizer.zero_grad()
        train_loss = criterion(model(x_train[rows]), y_train[rows])
        train_loss.backward()
        for name, p in model.named_parameters():
            if "weight" in name:
                tensor = p.data.numpy()
                grad_tensor = np.where(np.abs(tensor) < EPS, 0, p.grad.data.numpy())
                p.grad.data = torch.from_numpy(grad_tensor)
        optimizer.step()
    return train_loss.item()


def test(model):
    model.eval()
    with torch.no_grad():
        return 100.0 * (model(x_test).argmax(1) == y_test).float().mean().item()


def prune_by_percentile(model, mask, percent):
    for name, p in model.named_parameters():
        if "weight" in name:
            alive = p.data[mask[name] > 0].abs()
            mask[name] = torch.where(p.data.abs() < torch.quantile(alive, percent / 100), 0.0, mask[name])


def original_initialization(model, mask, initial_state):
    for name, p in model.named_parameters():
        p.data = (mask[name] * initial_state[name]) if "weight" in name else initial_state[name].clone()


model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
initial_state_dict = copy.deepcopy(model.state_dict())
mask = {name: torch.ones_like(p) for name, p in model.named_parameters() if "weight" in name}
criterion = nn.CrossEntropyLoss()
for ite in range(3):
    if ite > 0:
        prune_by_percentile(model, mask, 40)
        original_initialization(model, mask, initial_state_dict)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(4):
        loss = train(model, optimizer, criterion)
    alive = sum(m.sum() for m in mask.values()) / sum(m.numel() for m in mask.values())
    print(f"round {ite}: {100 * alive:.1f} % of the weights alive, loss {loss:.4f}, test {test(model):.1f} %")
