# expect: nothing
"""Rating prediction: sparse user/item tables plus a small dense head."""
import math

import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
gen = np.random.default_rng(0)
N_USERS, N_ITEMS, RANK = 150, 120, 3

u_true = gen.normal(size=(N_USERS, RANK))
v_true = gen.normal(size=(N_ITEMS, RANK))
pairs = np.stack(np.meshgrid(np.arange(N_USERS), np.arange(N_ITEMS)), -1).reshape(-1, 2)
gen.shuffle(pairs)
pairs = pairs[:9000]
score = (u_true[pairs[:, 0]] * v_true[pairs[:, 1]]).sum(1) / math.sqrt(RANK)
score = score + 0.2 * gen.normal(size=len(score))

pairs = torch.as_tensor(pairs)
score = torch.as_tensor(score, dtype=torch.float32)
cut = 7200
train_p, test_p = pairs[:cut], pairs[cut:]
train_y, test_y = score[:cut], score[cut:]


class Tables(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.user = nn.Embedding(N_USERS, dim, sparse=True)
        self.item = nn.Embedding(N_ITEMS, dim, sparse=True)

    def forward(self, p):
        return self.user(p[:, 0]), self.item(p[:, 1])


class Head(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(3 * dim, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, u, v):
        return self.mlp(torch.cat([u, v, u * v], dim=1)).squeeze(1)


class Fitter:
    def __init__(self, dim=8):
        self.tables, self.head = Tables(dim), Head(dim)
        self.opts = {
            "sparse": torch.optim.SparseAdam(list(self.tables.parameters()), lr=0.015),
            "dense": torch.optim.Adam(self.head.parameters(), lr=0.015),
        }

    def predict(self, p):
        return self.head(*self.tables(p))

    def update(self, p, y):
        for opt in self.opts.values():
            opt.zero_grad()
        loss = nn.functional.mse_loss(self.predict(p), y)
        loss.backward()
        for opt in self.opts.values():
            opt.step()
        return loss.item()

    @torch.no_grad()
    def rmse(self, p, y):
        return (self.predict(p) - y).pow(2).mean().sqrt().item()


fitter = Fitter()
print(f"baseline rmse (mean): {(test_y - train_y.mean()).pow(2).mean().sqrt():.3f}")
for epoch in range(17):
    running, seen = 0.0, 0
    for idx in torch.randperm(cut).split(200):
        running += fitter.update(train_p[idx], train_y[idx]) * len(idx)
        seen += len(idx)
    if epoch % 4 == 0:
        print(f"epoch {epoch:2d} train mse {running / seen:.3f}")
print(f"train rmse {fitter.rmse(train_p, train_y):.3f}")
print(f"test rmse  {fitter.rmse(test_p, test_y):.3f}")
