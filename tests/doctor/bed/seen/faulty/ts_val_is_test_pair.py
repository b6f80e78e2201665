# expect: selection_on_test @ 23
"""Digits, a net for each width."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

digits = load_digits()
X_all, y_all = digits.data / 16.0, digits.target


class Data:
    """Splits once."""

    def __init__(self, seed):
        X_fit, X_rest, y_fit, y_rest = train_test_split(X_all, y_all, train_size=0.3, random_state=seed)
        X_val, X_test, y_val, y_test = train_test_split(X_rest, y_rest, test_size=0.5, random_state=seed)
        self.train = self.pair(X_fit, y_fit)
        self.test = self.pair(X_test, y_test)
        spare = self.pair(X_val, y_val)
        self.size = len(spare[0])

        self.val = self.test

    @staticmethod
    def pair(a, b):
        return torch.tensor(a, dtype=torch.float32), torch.tensor(b)


def fit(width, data, epochs=30):
    torch.manual_seed(width)
    net = nn.Sequential(nn.Linear(64, width), nn.Tanh(), nn.Linear(width, 10))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    xs, ys = data.train
    for _ in range(epochs):
        for rows in torch.randperm(len(xs)).split(60):
            opt.zero_grad()
            nn.functional.cross_entropy(net(xs[rows]), ys[rows]).backward()
            opt.step()
    return net


def score(net, xs, ys):
    net.eval()
    with torch.no_grad():
        return (net(xs).argmax(1) == ys).float().mean().item()


data = Data(5)
nets, val_scores = {}, {}
for w in (8, 64, 24):
    nets[w] = fit(w, data)
    val_scores[w] = score(nets[w], *data.val)
best = max(val_scores, key=val_scores.get)
print(val_scores, "best width", best)
print("test accuracy", round(score(nets[best], *data.test), 4))
