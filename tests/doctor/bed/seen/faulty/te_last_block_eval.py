# expect: missing_eval @ 22
import numpy as np, torch
import torch.nn.functional as F
from torch import nn
from sklearn.datasets import load_digits, load_diabetes
torch.manual_seed(0)
d = load_digits()
X = torch.tensor(d.data / 16, dtype=torch.float32); y = torch.tensor(d.target)
Xtr, Xte, ytr, yte = X[:1400], X[1400:], y[:1400], y[1400:]
dec = nn.Sequential(nn.ReLU(), nn.Linear(32, 10))
blocks = [nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32)), nn.Sequential(nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 32)), dec]
opt = torch.optim.Adam([p for m in blocks for p in m.parameters()], 3e-3)
def run(h):
    for m in blocks:
        h = m(h)
    return h
for epoch in range(3):
    for m in blocks:
        m.train()
    for i in range(0, 1400, 64):
        loss = F.cross_entropy(run(Xtr[i:i+64]), ytr[i:i+64])
        opt.zero_grad(); loss.backward(); opt.step()
    blocks[-1].eval()
    with torch.no_grad():
        print((run(Xte).argmax(1) == yte).float().mean())
