# expect: nothing
"""Pretrain on digits 0-4, freeze the trunk, train a head on 5-9, then unfreeze with a very small lr."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 64), nn.ReLU())
        self.head = nn.Linear(64, 5)

    def forward(self, x):
        return self.head(self.trunk(x))


def epochs(net, opt, x, y, n):
    for _ in range(n):
        net.train()
        for idx in torch.randperm(len(x)).split(32):
            opt.zero_grad()
            loss = F.cross_entropy(net(x[idx]), y[idx])
            loss.backward()
            opt.step()
    return loss.item()


def acc(net, x, y):
    net.eval()
    with torch.inference_mode():
        return (net(x).argmax(1) == y).float().mean().item()


torch.manual_seed(0)
X, t = load_digits(return_X_y=True)
X, t = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(t)
xa, xb, ya, yb = train_test_split(X, t, test_size=0.3, stratify=t.numpy(), random_state=0)
low, high = ya < 5, ya >= 5
net = Net()
print("pretraining loss", epochs(net, torch.optim.Adam(net.parameters(), lr=2e-3), xa[low], ya[low], 8))
net.head = nn.Linear(64, 5)
net.trunk.requires_grad_(False)
head_opt = torch.optim.Adam(net.head.parameters(), lr=1e-2)
epochs(net, head_opt, xa[high], ya[high] - 5, 25)
hold = yb >= 5
print("head only", round(acc(net, xb[hold], yb[hold] - 5), 3))
net.trunk.requires_grad_(True)
tune = torch.optim.Adam(net.parameters(), lr=3e-4)
epochs(net, tune, xa[high], ya[high] - 5, 20)
print("fine-tuned", round(acc(net, xb[hold], yb[hold] - 5), 3))
