# expect: nothing
"""Masked self-attention over variable sets, trained on mixed-up soft labels."""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(18)
CLASSES, T, D = 4, 10, 8
PROTO = torch.randn(CLASSES, D) * 1.2


class SetNet(nn.Module):
    def __init__(self, h=24):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(D, h), nn.Linear(D, h), nn.Linear(D, h)
        self.out = nn.Linear(h, CLASSES)

    def forward(self, x, mask):
        s = self.q(x) @ self.k(x).transpose(1, 2) / self.q.out_features ** 0.5
        s = s.masked_fill(~mask[:, None, :], float("-inf"))
        h = F.softmax(s, dim=-1) @ self.v(x)
        h = (h * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return self.out(h)


def sets(n):
    y = torch.randint(0, CLASSES, (n,))
    mask = torch.arange(T)[None] < torch.randint(3, T + 1, (n, 1))
    x = torch.randn(n, T, D) + PROTO[y][:, None] * (torch.rand(n, T, 1) < 0.6)
    return x * mask[..., None], mask, y


def mixup(x, mask, target):
    lam = torch.distributions.Beta(0.4, 0.4).sample()
    perm = torch.randperm(len(x))
    x = lam * x + (1 - lam) * x[perm]
    return x, mask | mask[perm], lam * target + (1 - lam) * target[perm]


x, mask, y = sets(1000)
model = SetNet()
opt = torch.optim.AdamW(model.parameters(), lr=3e-3)
for epoch in range(15):
    model.train()
    total = 0.0
    for idx in torch.randperm(len(x)).split(50):
        xb, mb, tb = mixup(x[idx], mask[idx], F.one_hot(y[idx], CLASSES).float())
        loss = F.cross_entropy(model(xb, mb), tb)
        for p in model.parameters():
            p.grad = None
        loss.backward()
        opt.step()
        total += loss.detach()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} loss {total.item() / 20:.4f}")

model.eval()
xt, mt, yt = sets(500)
with torch.no_grad():
    proba = F.softmax(model(xt, mt), dim=1)
print("test accuracy", (proba.argmax(1) == yt).float().mean().item(), "confidence", proba.max(1).values.mean().item())
