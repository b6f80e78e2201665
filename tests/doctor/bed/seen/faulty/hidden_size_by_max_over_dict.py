# expect: selection_on_test @ 27
"""Sizes are compared by test accuracy collected in a dictionary, sorted afterwards."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target)
order = torch.randperm(len(x))
x_train, y_train = x[order[:1300]], y[order[:1300]]
x_test, y_test = x[order[1300:]], y[order[1300:]]
scores = []
for hidden in (4, 16, 64):
    net = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(4):
        for rows in torch.randperm(1300).split(100):
            opt.zero_grad()
            nn.functional.cross_entropy(net(x_train[rows]), y_train[rows]).backward()
            opt.step()
    with torch.no_grad():
        accuracy = (net(x_test).argmax(1) == y_test).float().mean().item()
    scores.append((accuracy, hidden))
scores.sort(reverse=True)
best_accuracy, best_hidden = scores[0]
print(best_hidden, best_accuracy)
