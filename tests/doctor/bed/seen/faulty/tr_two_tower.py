# expect: missing_eval @ 73
# allowed: missing_eval @ 72
# allowed: missing_eval @ 74
"""Two-tower retrieval: readers and articles are mapped into one space, trained with in-batch negatives."""
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Config:
    n_users: int = 300
    n_items: int = 240
    n_tags: int = 20
    clicks_per_user: int = 16
    dim: int = 32
    dropout: float = 0.4
    temperature: float = 0.07
    batch_size: int = 128
    epochs: int = 20
    lr: float = 1e-2
    seed: int = 21


def make_clicks(cfg, rng):
    """Every user likes a few tags; an article carries three tags."""
    item_tags = np.zeros((cfg.n_items, cfg.n_tags), dtype=np.float32)
    for row in item_tags:
        row[rng.choice(cfg.n_tags, 3, replace=False)] = 1.0
    user_taste = rng.dirichlet(np.full(cfg.n_tags, 0.04), size=cfg.n_users)
    train, test = [], []
    for u in range(cfg.n_users):
        p = np.exp(10.0 * user_taste[u] @ item_tags.T)
        liked = rng.choice(cfg.n_items, cfg.clicks_per_user, replace=False, p=p / p.sum())
        train += [(u, i) for i in liked[2:]]
        test += [(u, i) for i in liked[:2]]
    return torch.from_numpy(item_tags), torch.tensor(train), torch.tensor(test)


class Tower(nn.Module):
    def __init__(self, entry, width, cfg):
        super().__init__()
        self.entry = entry
        self.mlp = nn.Sequential(nn.ReLU(), nn.Dropout(cfg.dropout), nn.Linear(width, cfg.dim))

    def forward(self, x):
        return F.normalize(self.mlp(self.entry(x)), dim=-1)


def train_epoch(user_tower, item_tower, optimizer, clicks, item_tags, cfg):
    user_tower.train()
    item_tower.train()
    losses = []
    for index in torch.randperm(len(clicks)).split(cfg.batch_size):
        users, items = clicks[index].T
        scores = user_tower(users) @ item_tower(item_tags[items]).T / cfg.temperature
        same = items.unsqueeze(0) == items.unsqueeze(1)
        same.fill_diagonal_(False)
        loss = F.cross_entropy(scores.masked_fill(same, -1e4), torch.arange(len(index)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return float(np.mean(losses))


@torch.no_grad()
def recall_at(k, user_tower, item_tower, train, test, item_tags, cfg):
    user_tower.eval()
    user_tower.eval()
    scores = user_tower(torch.arange(cfg.n_users)) @ item_tower(item_tags).T
    scores[train[:, 0], train[:, 1]] = -torch.inf
    top = scores.topk(k, dim=1).indices
    return (top[test[:, 0]] == test[:, 1:]).any(dim=1).float().mean().item()


def main(cfg=Config()):
    torch.manual_seed(cfg.seed)
    rng = np.random.default_rng(cfg.seed)
    item_tags, train, test = make_clicks(cfg, rng)
    user_tower = Tower(nn.Embedding(cfg.n_users, 64), 64, cfg)
    item_tower = Tower(nn.Linear(cfg.n_tags, 64), 64, cfg)
    optimizer = torch.optim.Adam([*user_tower.parameters(), *item_tower.parameters()], lr=cfg.lr)
    for epoch in range(cfg.epochs):
        loss = train_epoch(user_tower, item_tower, optimizer, train, item_tags, cfg)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2d}  in-batch loss {loss:.4f}")
    recall = recall_at(20, user_tower, item_tower, train, test, item_tags, cfg)
    print(f"recall@20 on held-out clicks: {recall:.3f}  (popularity-free chance {20 / cfg.n_items:.3f})")


if __name__ == "__main__":
    main()
