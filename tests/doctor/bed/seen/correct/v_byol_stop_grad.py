# expect: nothing
"""BYOL on small vectors: stop-gradient targets and an EMA branch, then a linear probe."""
import copy

import torch
import torch.nn.functional as F
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(17)
X, y = load_digits(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X / 16, y, test_size=0.3, random_state=17, stratify=y)
Xa, Xb = torch.tensor(Xa, dtype=torch.float32), torch.tensor(Xb, dtype=torch.float32)
ya, yb = torch.tensor(ya), torch.tensor(yb)

online = nn.Sequential(nn.Linear(64, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 32))
predictor = nn.Sequential(nn.Linear(32, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 32))
target = copy.deepcopy(online)
for p in target.parameters():
    p.requires_grad = False
opt = torch.optim.Adam(list(online.parameters()) + list(predictor.parameters()), lr=2e-3)


def view(x):
    return x * (torch.rand_like(x) > 0.2) + 0.1 * torch.randn_like(x)


def regression(p, z):
    return 2 - 2 * F.cosine_similarity(p, z.detach(), dim=-1).mean()


for epoch in range(12):
    total = 0.0
    for idx in torch.randperm(len(Xa)).split(128):
        if len(idx) < 2:
            continue
        a, b = view(Xa[idx]), view(Xa[idx])
        loss = regression(predictor(online(a)), target(b)) + regression(predictor(online(b)), target(a))
        opt.zero_grad()
        loss.backward()
        opt.step()
        with torch.no_grad():
            for t, o in zip(target.parameters(), online.parameters()):
                t.mul_(0.98).add_(o, alpha=0.02)
        total += loss.item()
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} byol loss {total / 10:.4f}")

online.eval()
with torch.no_grad():
    fa, fb = online(Xa), online(Xb)
mu, sd = fa.mean(0), fa.std(0)
fa, fb = (fa - mu) / sd, (fb - mu) / sd
probe = nn.Linear(32, 10)
popt = torch.optim.Adam(probe.parameters(), lr=0.02)
for _ in range(20):
    for idx in torch.randperm(len(fa)).split(128):
        popt.zero_grad()
        F.cross_entropy(probe(fa[idx]), ya[idx]).backward()
        popt.step()
with torch.no_grad():
    print("linear probe accuracy", (probe(fb).argmax(1) == yb).float().mean().item())
