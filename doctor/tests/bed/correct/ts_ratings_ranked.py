# expect: nothing
"""Explicit ratings, then a ranking over all items for the test users."""
import torch
from torch import nn

torch.manual_seed(4)
users, items = 60, 50
taste, kind = torch.randn(users, 3), torch.randn(items, 3)
every = torch.cartesian_prod(torch.arange(users), torch.arange(items))
seen = every[torch.randperm(len(every))[:1500]]
train_pairs, test_pairs = seen[:1300], seen[1300:]


def stars(pairs):
    return (taste[pairs[:, 0]] * kind[pairs[:, 1]]).sum(1)


class MF(nn.Module):
    def __init__(self, rank=8):
        super().__init__()
        self.u, self.i = nn.Embedding(users, rank), nn.Embedding(items, rank)

    def forward(self, user, item):
        return (self.u(user) * self.i(item)).sum(1)


net = MF()
opt = torch.optim.Adam(net.parameters(), lr=0.02, weight_decay=1e-4)
for epoch in range(15):
    net.train()
    for rows in torch.randperm(len(train_pairs)).split(100):
        batch = train_pairs[rows]
        loss = nn.functional.mse_loss(net(batch[:, 0], batch[:, 1]), stars(batch))
        opt.zero_grad()
        loss.backward()
        opt.step()
net.eval()
known = set(map(tuple, train_pairs.tolist()))
hits = 0
with torch.no_grad():
    for user, item in test_pairs.tolist():
        scores = net(torch.full((items,), user), torch.arange(items))
        scores[[i for i in range(items) if (user, i) in known]] = -9.0
        hits += item in scores.topk(10).indices.tolist()
print("hit rate", hits / len(test_pairs))
