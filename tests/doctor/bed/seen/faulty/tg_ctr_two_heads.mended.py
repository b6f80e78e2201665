# expect: nothing
"""Shared-bottom recommender with a click head and a like head on made-up user-item pairs."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

gen = torch.Generator().manual_seed(7)
torch.manual_seed(7)
N_USER, N_ITEM, N = 60, 40, 4000
taste, trait = torch.randn(N_USER, 3, generator=gen), torch.randn(N_ITEM, 3, generator=gen)
users = torch.randint(N_USER, (N,), generator=gen)
items = torch.randint(N_ITEM, (N,), generator=gen)
affinity = (taste[users] * trait[items]).sum(1)
clicks = (affinity + 0.3 * torch.randn(N, generator=gen) > 0).float()
likes = (affinity + trait[items, 0] + 0.3 * torch.randn(N, generator=gen) > 0.5).float()
train_set, test_set = random_split(TensorDataset(users, items, clicks, likes), [3200, 800], generator=gen)


class SharedBottom(nn.Module):
    def __init__(self, dim=12):
        super().__init__()
        self.user, self.item = nn.Embedding(N_USER, dim), nn.Embedding(N_ITEM, dim)
        self.bottom = nn.Sequential(nn.Linear(3 * dim, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU())
        self.click, self.like = nn.Linear(24, 1), nn.Linear(24, 1)

    def forward(self, u, i):
        u, i = self.user(u), self.item(i)
        h = self.bottom(torch.cat([u, i, u * i], dim=1))
        return {"click": self.click(h).squeeze(1), "like": self.like(h).squeeze(1)}

    def predict(self, u, i):
        return {k: torch.sigmoid(v) for k, v in self(u, i).items()}


TASK_WEIGHT = {"click": 1.0, "like": 0.7}


def loss_of(model, u, i, labels):
    out = model(u, i)
    return sum(w * F.binary_cross_entropy_with_logits(out[k], labels[k]) for k, w in TASK_WEIGHT.items())


model = SharedBottom()
opt = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=1e-4)
for epoch in range(12):
    model.train()
    total = 0.0
    for u, i, c, l in DataLoader(train_set, batch_size=64, shuffle=True, generator=gen):
        opt.zero_grad()
        loss = loss_of(model, u, i, {"click": c, "like": l})
        loss.backward()
        opt.step()
        total += loss.item() * len(u)
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1}: loss {total / len(train_set):.4f}")

model.eval()
with torch.inference_mode():
    u, i, c, l = next(iter(DataLoader(test_set, batch_size=len(test_set))))
    p = model.predict(u, i)
for name, target in (("click", c), ("like", l)):
    print(f"{name}: accuracy {((p[name] > 0.5) == target.bool()).float().mean():.3f}")
