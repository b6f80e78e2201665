# expect: train_mode_never_restored @ 25
"""Benign or malignant from nuclear morphology, MLP with dropout; accuracy and Brier score on held-out biopsies."""
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def load(seed):
    X, y = load_breast_cancer(return_X_y=True)
    parts = train_test_split(X, y, test_size=0.25, stratify=y, random_state=seed)
    sc = StandardScaler().fit(parts[0])
    to = lambda a: torch.tensor(a, dtype=torch.float32)
    return to(sc.transform(parts[0])), to(sc.transform(parts[1])), to(parts[2]), to(parts[3])


def build():
    return nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Dropout(0.4), nn.Linear(32, 1), nn.Flatten(0))


def train(net, x, y, epochs=30):
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    bce = nn.BCEWithLogitsLoss()
    net.eval()
    for _ in range(epochs):
        for i in torch.randperm(len(x)).split(32):
            opt.zero_grad()
            loss = bce(net(x[i]), y[i])
            loss.backward()
            opt.step()
    return net


def assess(net, x, y):
    net.eval()
    with torch.no_grad():
        p = torch.sigmoid(net(x))
    return {"accuracy": ((p > 0.5) == (y > 0.5)).float().mean().item(), "brier": ((p - y) ** 2).mean().item()}


if __name__ == "__main__":
    torch.manual_seed(5)
    x_tr, x_te, y_tr, y_te = load(5)
    model = train(build(), x_tr, y_tr)
    for name, value in assess(model, x_te, y_te).items():
        print(f"{name:>9s} {value:.4f}")
