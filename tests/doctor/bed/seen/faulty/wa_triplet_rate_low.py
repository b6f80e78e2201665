# expect: lr_too_low @ 11
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits, load_wine, load_diabetes
torch.manual_seed(13)

d = load_digits()
x, y = torch.tensor(d.data, dtype=torch.float32) / 16, torch.tensor(d.target)
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
opt = torch.optim.Adam(net.parameters(), lr=1e-05)
rows = [torch.nonzero(y == c)[:, 0] for c in range(10)]
for step in range(28 * 6):
    c = torch.randint(10, (64,))
    n = (c + torch.randint(1, 10, (64,))) % 10
    pick = lambda k: torch.stack([rows[j][torch.randint(len(rows[j]), ())] for j in k])
    a, p, q = net(x[pick(c)]), net(x[pick(c)]), net(x[pick(n)])
    loss = F.triplet_margin_loss(a, p, q, margin=1.0)
    opt.zero_grad()
    loss.backward()
    opt.step()
