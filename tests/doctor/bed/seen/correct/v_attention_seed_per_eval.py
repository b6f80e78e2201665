# expect: nothing
"""Own attention layer with softmax over keys; every evaluation draws its noise from its own fixed generator."""
import math
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset


class Retrieval(IterableDataset):
    """Key-value pairs and a query: the label is the value stored under the queried key."""

    def __init__(self, n, seed):
        self.n, self.g = n, torch.Generator().manual_seed(seed)

    def __iter__(self):
        for _ in range(self.n):
            keys = torch.randperm(8, generator=self.g)[:6]
            vals = torch.randint(0, 3, (6,), generator=self.g)
            q = torch.randint(0, 6, (1,), generator=self.g)
            yield keys, vals, keys[q][0], vals[q][0]


class Lookup(nn.Module):
    def __init__(self, d=24):
        super().__init__()
        self.key, self.val, self.query = nn.Embedding(8, d), nn.Embedding(3, d), nn.Embedding(8, d)
        self.out = nn.Linear(d, 3)

    def forward(self, keys, vals, q):
        scores = torch.einsum("bd,bnd->bn", self.query(q), self.key(keys)) / math.sqrt(24)
        weights = torch.softmax(scores, dim=1)
        return self.out(torch.einsum("bn,bnd->bd", weights, self.val(vals)))


def evaluate(net):
    net.eval()
    ok = n = 0
    with torch.no_grad():
        for k, v, q, y in DataLoader(Retrieval(300, seed=99), batch_size=100):
            ok += (net(k, v, q).argmax(1) == y).sum().item()
            n += len(y)
    return ok / n


torch.manual_seed(0)
stream = Retrieval(1500, seed=0)
net = Lookup()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(5):
    net.train()
    for k, v, q, y in DataLoader(stream, batch_size=50):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(k, v, q), y)
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.3f} accuracy {evaluate(net):.3f}")
