# expect: nothing
"""Route service log lines to teams with a one-layer Transformer over hashed word ids; batch-size-aware learning rate."""
import random
import zlib
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.data import DataLoader

TEAMS = ("database", "network", "payments", "frontend")
TEMPLATES = {
    "database": ["query on {x} timed out after {n} ms", "deadlock found when updating {x}", "replica {x} lags {n} seconds"],
    "network": ["connection to {x} refused", "packet loss {n} percent towards {x}", "dns lookup for {x} failed after {n} ms"],
    "payments": ["card declined for order {n}", "refund {n} pending at provider {x}", "currency {x} not supported for order {n}"],
    "frontend": ["undefined is not a function in {x}", "bundle {x} exceeds {n} kb", "page {x} rendered after {n} ms"],
}
FILLERS = "warn error retry attempt node eu us cluster trace user service now again failed after order".split()


@dataclass
class RouterConfig:
    vocab: int = 512
    length: int = 14
    width: int = 32
    heads: int = 4
    epochs: int = 5
    batch_size: int = 64
    base_lr: float = 1.6e-2  # for a batch of 256
    seed: int = 23

    @property
    def lr(self):
        """Linear scaling with the batch size."""
        return self.base_lr * self.batch_size / 256


def make_lines(n, rng):
    """n different lines with the index of the team that owns each."""
    seen = set()
    while len(seen) < n:
        team = rng.randrange(len(TEAMS))
        text = rng.choice(TEMPLATES[TEAMS[team]]).format(x=f"svc{rng.randrange(40)}", n=rng.randrange(1000))
        words = text.split()
        for _ in range(rng.randrange(5)):
            words.insert(rng.randrange(len(words) + 1), rng.choice(FILLERS))
        words = [w for w in words if rng.random() > 0.25] or words
        if tuple(words) not in seen:
            seen.add(tuple(words))
            yield words, team


class Collate:
    def __init__(self, cfg):
        self.cfg = cfg

    def __call__(self, batch):
        ids = torch.zeros(len(batch), self.cfg.length, dtype=torch.long)
        for row, (words, _) in enumerate(batch):
            for col, word in enumerate(words[:self.cfg.length]):
                ids[row, col] = 1 + zlib.crc32(word.encode()) % (self.cfg.vocab - 1)
        return ids, torch.tensor([team for _, team in batch])


class Router(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.words = nn.Embedding(cfg.vocab, cfg.width, padding_idx=0)
        self.places = nn.Parameter(0.02 * torch.randn(cfg.length, cfg.width))
        self.block = nn.TransformerEncoderLayer(cfg.width, cfg.heads, 2 * cfg.width, dropout=0.0,
                                                activation="gelu", batch_first=True)
        self.norm, self.out = nn.LayerNorm(cfg.width), nn.Linear(cfg.width, len(TEAMS))

    def forward(self, ids):
        pad = ids == 0
        h = self.block(self.words(ids) + self.places, src_key_padding_mask=pad)
        keep = (~pad).unsqueeze(-1).float()
        return self.out(self.norm((h * keep).sum(1) / keep.sum(1)))


def accuracy(model, loader):
    model.eval()
    hits = total = 0
    with torch.no_grad():
        for ids, team in loader:
            hits += (model(ids).argmax(1) == team).sum().item()
            total += len(team)
    return hits / total


def main(cfg=RouterConfig()):
    torch.manual_seed(cfg.seed)
    rng = random.Random(cfg.seed)
    collate = Collate(cfg)
    lines = list(make_lines(3000, rng))
    train = DataLoader(lines[:2400], cfg.batch_size, shuffle=True, collate_fn=collate)
    test = DataLoader(lines[2400:], 200, collate_fn=collate)
    model = Router(cfg)
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    for epoch in range(1, cfg.epochs + 1):
        model.train()
        losses = []
        for ids, team in train:
            loss = nn.functional.cross_entropy(model(ids), team)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch}  loss {sum(losses) / len(losses):.3f}")
    print(f"test accuracy {accuracy(model, test):.3f}")


if __name__ == "__main__":
    main()
