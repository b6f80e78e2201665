# expect: nothing
"""Prototypical network on digits: episodes from seven classes, five-shot episodes from the three unseen ones."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

CONFIG = {
    "way": 3, "shot": 5, "query": 8,
    "meta_batch": 4, "updates": 120,
    "base_lr": 1.6e-2, "base_batch": 32,
    "seed": 0,
}


class Episodes:
    def __init__(self, images, labels, classes, cfg, rng):
        self.rows = {int(c): images[labels == c] for c in classes}
        self.cfg, self.rng = cfg, rng

    def draw(self):
        k, q = self.cfg["shot"], self.cfg["query"]
        chosen = self.rng.permutation(list(self.rows))[: self.cfg["way"]]
        support, query = [], []
        for c in chosen:
            pool = self.rows[int(c)]
            pick = self.rng.permutation(len(pool))[: k + q]
            support.append(pool[pick[:k]])
            query.append(pool[pick[k:]])
        target = torch.arange(self.cfg["way"]).repeat_interleave(q)
        return torch.stack(support), torch.cat(query), target


class Embed(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 32), nn.ReLU(), nn.Linear(32, 24)
        )

    def forward(self, x):
        return self.net(x)


def episode_logits(embed, support, query):
    way, shot = support.shape[:2]
    prototypes = embed(support.flatten(0, 1)).view(way, shot, -1).mean(dim=1)
    return -torch.cdist(embed(query), prototypes).pow(2) / prototypes.shape[1]


def scaled_lr(cfg):
    """Linear scaling rule: the base rate belongs to the base batch."""
    return cfg["base_lr"] * cfg["meta_batch"] / cfg["base_batch"]


def main(cfg):
    torch.manual_seed(cfg["seed"])
    rng = np.random.default_rng(cfg["seed"])
    data = load_digits()
    images = torch.tensor(data.data / 8.0 - 1.0, dtype=torch.float32)
    labels = torch.tensor(data.target)
    seen = Episodes(images, labels, (1, 2, 3, 5, 7, 8, 9), cfg, rng)
    unseen = Episodes(images, labels, (0, 4, 6), cfg, rng)

    embed = Embed()
    optimizer = torch.optim.Adam(embed.parameters(), lr=scaled_lr(cfg))
    embed.train()
    for update in range(cfg["updates"]):
        losses = []
        for _ in range(cfg["meta_batch"]):
            support, query, target = seen.draw()
            losses.append(F.cross_entropy(episode_logits(embed, support, query), target))
        loss = torch.stack(losses).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (update + 1) % 30 == 0:
            print(f"update {update + 1}  loss {loss.item():.4f}")

    embed.eval()
    right = []
    with torch.no_grad():
        for _ in range(100):
            support, query, target = unseen.draw()
            right.append((episode_logits(embed, support, query).argmax(dim=1) == target).float().mean().item())
    print(f"unseen digits, {cfg['way']}-way {cfg['shot']}-shot accuracy {np.mean(right):.4f}")


if __name__ == "__main__":
    main(CONFIG)
