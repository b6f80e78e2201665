# expect: nothing
"""Terrain classifier for a walking robot from pressure images, with the lab's own initialisation."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


def lab_init(module):
    if isinstance(module, nn.Linear):
        bound = (6 / module.in_features) ** 0.5
        nn.init.uniform_(module.weight, -bound, bound)
        nn.init.zeros_(module.bias)


class Terrain(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(64, 64), nn.Linear(64, 32)
        self.out = nn.Linear(32, 10)
        self.apply(lab_init)

    def forward(self, x):
        return self.out(F.relu(self.second(F.relu(self.first(x)))))


class Runner:
    def __init__(self, net, lr=2e-3):
        self.net, self.opt = net, torch.optim.Adam(net.parameters(), lr=lr)
        self.history = []

    def epoch(self, x, y, batch=64):
        self.net.train()
        total = 0.0
        for idx in torch.randperm(len(x)).split(batch):
            self.opt.zero_grad()
            loss = F.cross_entropy(self.net(x[idx]), y[idx])
            loss.backward()
            self.opt.step()
            total += loss.item() * len(idx)
        self.history.append(total / len(x))

    @torch.no_grad()
    def accuracy(self, x, y):
        self.net.eval()
        return (self.net(x).argmax(1) == y).float().mean().item()


torch.manual_seed(8)
X, y = load_digits(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X / 16.0, y, test_size=0.25, stratify=y, random_state=8)
Xtr, Xte = torch.tensor(Xtr).float(), torch.tensor(Xte).float()
ytr, yte = torch.tensor(ytr), torch.tensor(yte)
runner = Runner(Terrain())
for _ in range(12):
    runner.epoch(Xtr, ytr)
print("loss:", " ".join(f"{v:.3f}" for v in runner.history[::3]))
print(f"test accuracy {runner.accuracy(Xte, yte):.3f}")
