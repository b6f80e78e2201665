# expect: nothing
"""Two-tower retrieval: query and item encoders trained on in-batch softmax, each with its own parameter group."""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(13)
N, D = 1500, 16
latent = torch.randn(N, 4)
queries = torch.tanh(latent @ torch.randn(4, D)) + 0.2 * torch.randn(N, D)
items = torch.tanh(latent @ torch.randn(4, D)) + 0.2 * torch.randn(N, D)
train, test = slice(0, 1300), slice(1300, None)


def tower(dim=12):
    return nn.Sequential(nn.Linear(D, 48), nn.GELU(), nn.Linear(48, dim))


class TwoTower(nn.Module):
    def __init__(self):
        super().__init__()
        self.query_tower, self.item_tower = tower(), tower()
        self.log_scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, q, i):
        q = F.normalize(self.query_tower(q), dim=1)
        i = F.normalize(self.item_tower(i), dim=1)
        return self.log_scale.exp().clamp(max=50.0) * q @ i.T


model = TwoTower()
groups = [
    {"params": model.query_tower.parameters(), "lr": 3e-3, "weight_decay": 1e-4},
    {"params": model.item_tower.parameters(), "lr": 3e-3, "weight_decay": 1e-4},
    {"params": [model.log_scale], "lr": 1e-2, "weight_decay": 0.0},
]
optimizer = torch.optim.AdamW(groups)
q_tr, i_tr = queries[train], items[train]

for epoch in range(15):
    model.train()
    total = 0.0
    for idx in torch.randperm(len(q_tr)).split(65):
        scores = model(q_tr[idx], i_tr[idx])
        diag = torch.arange(len(idx))
        loss = (F.cross_entropy(scores, diag) + F.cross_entropy(scores.T, diag)) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1:2d} loss {total / len(q_tr):.4f}")

model.eval()
with torch.no_grad():
    scores = model(queries[test], items[test])
    top = scores.topk(10, dim=1).indices
    hit = (top == torch.arange(len(scores))[:, None]).any(1).float().mean()
print(f"hit rate @10 among {len(scores)} unseen items {hit:.3f}")
