# expect: detached_loss @ 36
# allowed: detached_loss @ 50
"""Learns two targets with hand-set task weights, losses collected in a dict."""
import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(8)
WEIGHTS = {"reg": 1.0, "cls": 0.5}

N = 900
X = torch.randn(N, 6)
y_reg = X[:, 0] - 0.5 * X[:, 1] * X[:, 2]
y_cls = (X[:, 3] + X[:, 4] > 0).long()
train, test = slice(0, 700), slice(700, None)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(6, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU())
        self.reg = nn.Linear(40, 1)
        self.cls = nn.Linear(40, 2)

    def forward(self, x):
        h = self.f(x)
        return {"reg": self.reg(h).squeeze(-1), "cls": self.cls(h)}


def compute_losses(out, yr, yc):
    return {"reg": F.mse_loss(out["reg"], yr), "cls": F.cross_entropy(out["cls"], yc)}


def combine(losses):
    weighted = [WEIGHTS[k] * v for k, v in losses.items()]
    return torch.tensor(weighted, requires_grad=True).sum()


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=4e-3)
xt, rt, ct = X[train], y_reg[train], y_cls[train]

for epoch in range(30):
    perm = torch.randperm(len(xt))
    epoch_loss = 0.0
    for i in range(0, len(xt), 70):
        j = perm[i:i + 70]
        total = combine(compute_losses(net(xt[j]), rt[j], ct[j]))
        opt.zero_grad()
        total.backward()
        opt.step()
        epoch_loss += total.item()
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1} loss {epoch_loss / 10:.4f}")

net.eval()
with torch.no_grad():
    out = net(X[test])
    mse = F.mse_loss(out["reg"], y_reg[test]).item()
    acc = (out["cls"].argmax(-1) == y_cls[test]).float().mean().item()
print(f"test mse {mse:.4f} acc {acc:.3f}")
