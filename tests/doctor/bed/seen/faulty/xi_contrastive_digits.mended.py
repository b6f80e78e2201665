# expect: nothing
"""Metric learning on the digits: contrastive pairs with a euclidean distance."""
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X / 16.0, y, test_size=0.3, stratify=y, random_state=0)
X_tr, X_te = torch.tensor(X_tr).float(), torch.tensor(X_te).float()
y_tr, y_te = torch.tensor(y_tr), torch.tensor(y_te)

embed = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
opt = torch.optim.Adam(embed.parameters(), lr=1e-3)
MARGIN = 2.0


def pairwise(z):
    sq = (z[:, None, :] - z[None, :, :]).pow(2).sum(-1)
    return (sq + 1e-8).sqrt()


def contrastive(z, labels):
    d = pairwise(z)
    same = (labels[:, None] == labels[None, :]).float()
    pull = same * d.pow(2)
    push = (1 - same) * (MARGIN - d).clamp(min=0).pow(2)
    return (pull.sum() / same.sum() + push.sum() / (1 - same).sum()) / 2


@torch.no_grad()
def nearest_neighbour_accuracy():
    embed.eval()
    dist = torch.cdist(embed(X_te), embed(X_tr))
    return (y_tr[dist.argmin(dim=1)] == y_te).float().mean().item()


for epoch in range(8):
    embed.train()
    total, batches = 0.0, 0
    for idx in torch.randperm(len(X_tr)).split(64):
        loss = contrastive(embed(X_tr[idx]), y_tr[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
        batches += 1
    print(f"epoch {epoch + 1}: loss {total / batches:.4f}")
print(f"1-NN accuracy {nearest_neighbour_accuracy():.3f}")
