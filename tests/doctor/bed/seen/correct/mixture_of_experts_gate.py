# expect: nothing
# looks suspicious: a softmax over dim 1 multiplies what goes into cross_entropy: it is the gate of a
# mixture of experts, and the mixed values are logits.
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
bunch = load_digits()
X = torch.tensor(bunch.data, dtype=torch.float32) / 16
T = torch.tensor(bunch.target)
perm = torch.randperm(len(T), generator=torch.Generator().manual_seed(3))
fit, judge = perm[:1437], perm[1437:]


class MoE(nn.Module):
    def __init__(self, experts=4):
        super().__init__()
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 10)) for _ in range(experts)
        )
        self.gate = nn.Linear(64, experts)

    def forward(self, x):
        g = self.gate(x).softmax(1)
        logits = torch.stack([e(x) for e in self.experts], 1)
        return torch.einsum("be,bec->bc", g, logits), g


net = MoE()
opt = torch.optim.Adam(net.parameters(), lr=4e-3)
for epoch in range(5):
    for b in fit[torch.randperm(len(fit))].split(64):
        opt.zero_grad()
        logits, g = net(X[b])
        balance = g.mean(0).square().sum() * g.shape[1] - 1
        loss = nn.functional.cross_entropy(logits, T[b]) + 0.1 * balance
        loss.backward()
        opt.step()
    print(epoch, round(loss.item(), 4), "gate use", [round(v, 2) for v in g.mean(0).tolist()])
with torch.no_grad():
    print("accuracy", (net(X[judge])[0].argmax(1) == T[judge]).float().mean().item())
