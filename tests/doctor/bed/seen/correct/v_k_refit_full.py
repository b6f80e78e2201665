# expect: nothing
"""Chooses the hidden size on a validation part, then refits on train plus validation and scores the test part once."""
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset

torch.manual_seed(18)
X, y = load_breast_cancer(return_X_y=True)
Xtv, Xte, ytv, yte = train_test_split(X, y, test_size=0.2, stratify=y, random_state=18)
Xtr, Xva, ytr, yva = train_test_split(Xtv, ytv, test_size=0.25, stratify=ytv, random_state=18)
mu, sd = Xtr.mean(0), Xtr.std(0)
ds = lambda a, b: TensorDataset(torch.tensor((a - mu) / sd, dtype=torch.float32), torch.tensor(b))
train_set, val_set, test_set = ds(Xtr, ytr), ds(Xva, yva), ds(Xte, yte)


def fit(dataset, hidden, epochs=10):
    net = nn.Sequential(nn.Linear(30, hidden), nn.ReLU(), nn.Linear(hidden, 2))
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(epochs):
        net.train()
        for xb, yb in DataLoader(dataset, batch_size=32, shuffle=True):
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(xb), yb)
            loss.backward()
            opt.step()
    return net


@torch.no_grad()
def score(net, dataset):
    net.eval()
    xb, yb = dataset.tensors
    return (net(xb).argmax(1) == yb).float().mean().item()


results = {}
for hidden in (2, 8, 32):
    results[hidden] = score(fit(train_set, hidden), val_set)
    print("hidden", hidden, "val", round(results[hidden], 3))
best = max(results, key=results.get)
final = fit(ConcatDataset([train_set, val_set]), best)
print("test", round(score(final, test_set), 3))
