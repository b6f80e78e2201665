# expect: nothing
"""Two towers of plain tables, both filled with one value, and biases filled with zeros as is usual."""
import torch
from torch import nn


class Towers(nn.Module):
    def __init__(self, n, m, k=8):
        super().__init__()
        self.left, self.right = nn.Embedding(n, k, sparse=True), nn.Embedding(m, k, sparse=True)
        self.bias = nn.Embedding(m, 1, sparse=True)
        nn.init.zeros_(self.bias.weight)
        # the tables
        for table in (self.left, self.right):
            table.weight.data.normal_(0, 0.05)

    def forward(self, a, b):
        return (self.left(a) * self.right(b)).sum(1) + self.bias(b).squeeze(1)


torch.manual_seed(0)
a, b = torch.randint(0, 60, (4000,)), torch.randint(0, 50, (4000,))
u, v = torch.randn(60, 4), torch.randn(50, 4)
y = ((u[a] * v[b]).sum(1) > 0).float()
net = Towers(60, 50)
opt = torch.optim.SparseAdam(list(net.parameters()), lr=1e-2)
for epoch in range(8):
    for idx in torch.randperm(4000).split(200):
        opt.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(net(a[idx], b[idx]), y[idx])
        loss.backward()
        opt.step()
    print(epoch, loss.item())
