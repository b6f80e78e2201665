# expect: metric_wrong_axis @ 76
"""Prototypical networks on drawn strokes: five-way episodes with classes never met in training."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

SIDE = 12


def draw(kind, rng):
    """One 12x12 picture: a stroke figure given by the class's own corner points, jittered."""
    corners = np.random.default_rng(1000 + kind).uniform(1.5, SIDE - 2.5, size=(4, 2))
    corners = corners + rng.normal(scale=0.6, size=corners.shape)
    img = np.zeros((SIDE, SIDE), dtype=np.float32)
    for a, b in zip(corners[:-1], corners[1:]):
        for t in np.linspace(0, 1, 16):
            r, c = np.clip(np.rint(a + t * (b - a)).astype(int), 0, SIDE - 1)
            img[r, c] = 1.0
    return img


class Library:
    def __init__(self, kinds, per_kind, seed):
        rng = np.random.default_rng(seed)
        self.images = torch.tensor(np.stack([[draw(k, rng) for _ in range(per_kind)] for k in kinds]))

    def episode(self, way, shot, queries, gen):
        kinds = torch.randperm(len(self.images), generator=gen)[:way]
        take = torch.stack([torch.randperm(self.images.shape[1], generator=gen)[:shot + queries] for _ in range(way)])
        pics = self.images[kinds[:, None], take].unsqueeze(2)
        support, query = pics[:, :shot], pics[:, shot:]
        labels = torch.arange(way).repeat_interleave(queries)
        return support, query.flatten(0, 1), labels


class Embed(nn.Module):
    def __init__(self, width=24):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        )
        self.fc = nn.Linear(width * 9, 32)

    def forward(self, x):
        return self.fc(self.conv(x).flatten(1))


def episode_logits(net, support, query):
    way, shot = support.shape[:2]
    prototypes = net(support.flatten(0, 1)).view(way, shot, -1).mean(dim=1)
    return -torch.cdist(net(query), prototypes).pow(2) / 8.0


def train(net, library, steps, gen):
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    net.train()
    for step in range(1, steps + 1):
        support, query, labels = library.episode(way=5, shot=3, queries=4, gen=gen)
        loss = F.cross_entropy(episode_logits(net, support, query), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0:
            print(f"episode {step:3d}  loss {loss.item():.4f}")


@torch.no_grad()
def evaluate(net, library, episodes, gen):
    net.eval()
    scores = []
    for _ in range(episodes):
        support, query, labels = library.episode(way=5, shot=1, queries=1, gen=gen)
        logits = episode_logits(net, support, query)
        scores.append((logits.argmax(dim=0) == labels).float().mean())
    scores = torch.stack(scores)
    return scores.mean().item(), 1.96 * scores.std().item() / episodes ** 0.5


def main():
    torch.manual_seed(6)
    gen = torch.Generator().manual_seed(6)
    base = Library(range(0, 30), per_kind=12, seed=1)
    novel = Library(range(30, 45), per_kind=12, seed=2)
    net = Embed()
    train(net, base, steps=200, gen=gen)
    mean, half = evaluate(net, novel, episodes=150, gen=gen)
    print(f"5-way 1-shot on new classes: {mean:.3f} +- {half:.3f}")


if __name__ == "__main__":
    main()
