# expect: nothing
"""A net that ends in log_softmax, trained with cross entropy (the same loss)."""
import torch
from torch import nn
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

X, y = load_wine(return_X_y=True)


def build():
    return nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3), nn.LogSoftmax(dim=1))


def run_fold(k, tr, te):
    torch.manual_seed(100 + k)
    sc = StandardScaler().fit(X[tr])
    xa, xb = (torch.tensor(sc.transform(X[i]), dtype=torch.float32) for i in (tr, te))
    ya, yb = torch.tensor(y[tr]), torch.tensor(y[te])
    model, crit = build(), nn.CrossEntropyLoss()
    opt = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(25):
        model.train()
        for idx in torch.randperm(len(xa)).split(24):
            opt.zero_grad()
            crit(model(xa[idx]), ya[idx]).backward()
            opt.step()
    model.eval()
    with torch.no_grad():
        return (model(xb).argmax(1) == yb).float().mean().item()


scores = []
for k, (tr, te) in enumerate(StratifiedKFold(5, shuffle=True, random_state=0).split(X, y)):
    scores.append(run_fold(k, tr, te))
    print(f"fold {k} accuracy {scores[-1]:.3f}")
print(f"mean {sum(scores) / 5:.3f}")
