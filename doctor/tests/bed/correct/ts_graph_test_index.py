# expect: nothing
"""Node labels of a graph: all nodes go through the net, the test index reads its answers."""
import torch
from torch import nn

torch.manual_seed(0)
n = 300
group = torch.randint(0, 3, (n,))
x = torch.randn(n, 12) + nn.functional.one_hot(group, 3).float() @ torch.randn(3, 12)
adj = (torch.rand(n, n) < torch.where(group[:, None] == group[None], 0.05, 0.005)).float()
adj = ((adj + adj.T + torch.eye(n)) > 0).float()
adj = adj / adj.sum(1, keepdim=True)
perm = torch.randperm(n)
train_idx, test_idx = perm[:120], perm[120:]


class GCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(12, 16), nn.Linear(16, 3)

    def forward(self, x, adj):
        return self.two(adj @ self.one(adj @ x).relu())


model = GCN()
opt = torch.optim.Adam(model.parameters(), lr=1e-2)


def test(x, adj, y, idx):
    model.eval()
    with torch.no_grad():
        out = model(x, adj)
    return (out[idx].argmax(1) == y[idx]).float().mean().item()


for epoch in range(40):
    model.train()
    loss = nn.functional.cross_entropy(model(x, adj)[train_idx], group[train_idx])
    opt.zero_grad()
    loss.backward()
    opt.step()
print("test accuracy", test(x, adj, group, test_idx))
