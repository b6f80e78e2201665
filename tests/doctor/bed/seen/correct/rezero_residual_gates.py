# expect: nothing
# looks suspicious: residual gates and the last layer begin at zero, so that most weights have gradients of
# exactly zero in the first steps (ReZero, zero-initialised head); the first loss is log(10).
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)


class ReZeroBlock(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim))
        self.alpha = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return x + self.alpha * self.f(x)


def build(depth=12, dim=32):
    net = nn.Sequential(nn.Linear(64, dim), *[ReZeroBlock(dim) for _ in range(depth)], nn.Linear(dim, 10))
    nn.init.zeros_(net[-1].weight)
    nn.init.zeros_(net[-1].bias)
    return net


d = load_digits()
x, y = torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target)
perm = torch.randperm(len(y))
tr, te = perm[:1500], perm[1500:]
net = build()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
step = 0
for epoch in range(6):
    for rows in tr[torch.randperm(1500)].split(75):
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step in (0, 5, 10):
            print(f"step {step} loss {loss.item():.4f}")
        step += 1
    gates = [abs(b.alpha.item()) for b in net if isinstance(b, ReZeroBlock)]
    print(f"epoch {epoch} loss {loss.item():.4f} mean gate {sum(gates) / len(gates):.4f}")
with torch.no_grad():
    print("accuracy", (net(x[te]).argmax(1) == y[te]).float().mean().item())
