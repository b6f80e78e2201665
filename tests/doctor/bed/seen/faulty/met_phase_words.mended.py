# expect: nothing
"""A loop over the words of two phases keeps the best state by what the second one says."""
import copy
import numpy as np, torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X = torch.tensor(X / 16, dtype=torch.float32); y = torch.tensor(y)
order = torch.randperm(len(X))
a, b, c = order[:1200], order[1200:1500], order[1500:]
loaders = {
    "train": DataLoader(TensorDataset(X[a], y[a]), 64, shuffle=True),
    "val": DataLoader(TensorDataset(X[b], y[b]), 64),
}
net = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
best, best_state = 0.0, None
for epoch in range(8):
    for phase in ["train", "val"]:
        net.train(phase == "train")
        right = 0
        for a, b in loaders[phase]:
            with torch.set_grad_enabled(phase == "train"):
                out = net(a)
                loss = nn.functional.cross_entropy(out, b)
            if phase == "train":
                opt.zero_grad()
                loss.backward()
                opt.step()
            right += (out.argmax(1) == b).sum().item()
        acc = right / len(loaders[phase].dataset)
        print(epoch, phase, acc)
        if phase == "val" and acc > best:
            best, best_state = acc, copy.deepcopy(net.state_dict())
net.load_state_dict(best_state)
net.eval()
with torch.no_grad():
    print("test accuracy", (net(X[c]).argmax(1) == y[c]).float().mean().item())
