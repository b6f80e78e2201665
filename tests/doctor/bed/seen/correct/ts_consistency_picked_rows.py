# expect: nothing
"""Consistency on unlabelled rows; index lists handed to a helper."""
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target)
perm = torch.randperm(len(x))
labelled_idx, free_idx, test_idx = perm[:200], perm[200:1300], perm[1300:]
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
opt = torch.optim.Adam(net.parameters(), lr=2e-3)


def pick(table, idx):
    return table[idx]


def accuracy(table, labels, idx):
    net.eval()
    with torch.no_grad():
        guess = net(pick(table, idx)).argmax(1)
    net.train()
    return (guess == pick(labels, idx)).float().mean().item()


for step in range(300):
    a = labelled_idx[torch.randint(len(labelled_idx), (40,))]
    b = free_idx[torch.randint(len(free_idx), (80,))]
    u = net(x[b] + 0.05 * torch.randn(80, 64)).log_softmax(1)
    with torch.no_grad():
        goal = net(x[b]).softmax(1)
    loss = nn.functional.cross_entropy(net(x[a]), y[a]) + nn.functional.kl_div(u, goal, reduction="batchmean")
    opt.zero_grad()
    loss.backward()
    opt.step()
print("train", accuracy(x, y, labelled_idx), "test", accuracy(x, y, test_idx))
