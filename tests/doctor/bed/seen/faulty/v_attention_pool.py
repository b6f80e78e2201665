# expect: softmax_wrong_dim @ 17
"""Attention pooling over time steps to classify sequences with a hidden bump."""
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(23)


class AttentionPool(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.score = nn.Linear(dim, 1)

    def forward(self, h):
        # h: (batch, time, dim)
        a = F.softmax(self.score(h).squeeze(-1), dim=0)
        return torch.einsum("bt,btd->bd", a, h)


class Net(nn.Module):
    def __init__(self, feats=6, dim=24, classes=4):
        super().__init__()
        self.inp = nn.Sequential(nn.Linear(feats, dim), nn.GELU(), nn.Linear(dim, dim))
        self.pool = AttentionPool(dim)
        self.out = nn.Linear(dim, classes)

    def forward(self, x):
        return self.out(self.pool(self.inp(x)))


def make(n, t=25):
    x = torch.randn(n, t, 6)
    y = torch.randint(0, 4, (n,))
    where = torch.randint(0, t, (n,))
    rows = torch.arange(n)
    x[rows, where, 0] = 4.0
    x[rows, where, 1 + y] += 3.0
    return x, y


def fit(model, x, y, epochs=15, bs=40):
    opt = torch.optim.Adam(model.parameters(), lr=4e-3)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=epochs)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(x)).split(bs):
            opt.zero_grad()
            loss = F.cross_entropy(model(x[idx]), y[idx])
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        sched.step()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1} loss {total / len(x):.4f}")


@torch.no_grad()
def test(model, x, y):
    model.eval()
    return (model(x).argmax(-1) == y).float().mean().item()


net = Net()
fit(net, *make(1200))
print("test acc", round(test(net, *make(400)), 3))
