# expect: clip_too_small @ 22
# allowed: clip_too_small @ 77
"""Character-level LSTM on generated recipe text; reports bits per character on unseen recipes."""
import math
import random
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass(frozen=True)
class TrainConfig:
    hidden: int = 48
    embed: int = 16
    seq_len: int = 32
    batch: int = 32
    steps: int = 160
    lr: float = 1.0
    momentum: float = 0.9
    grad_clip: float = 0.001
    seed: int = 5


def recipes(n, seed):
    rnd = random.Random(seed)
    verbs, things = ["chop", "boil", "fry", "stir", "peel"], ["carrots", "onions", "rice", "beans", "leeks", "eggs"]
    ends = ["for ten minutes", "until soft", "with salt", "in butter"]
    return " ".join(f"{rnd.choice(verbs)} the {rnd.choice(things)} {rnd.choice(ends)}." for _ in range(n))


class CharLM(nn.Module):
    def __init__(self, n_chars, cfg):
        super().__init__()
        self.emb = nn.Embedding(n_chars, cfg.embed)
        self.rnn = nn.LSTM(cfg.embed, cfg.hidden, batch_first=True)
        self.out = nn.Linear(cfg.hidden, n_chars)

    def forward(self, x):
        h, _ = self.rnn(self.emb(x))
        return self.out(h)


def windows(ids, cfg, gen):
    starts = torch.randint(0, len(ids) - cfg.seq_len - 1, (cfg.batch,), generator=gen)
    block = torch.stack([ids[s:s + cfg.seq_len + 1] for s in starts])
    return block[:, :-1], block[:, 1:]


def bits_per_char(model, ids, cfg):
    model.eval()
    n = (len(ids) - 1) // cfg.seq_len
    x = ids[:n * cfg.seq_len].view(n, cfg.seq_len)
    y = ids[1:n * cfg.seq_len + 1].view(n, cfg.seq_len)
    with torch.no_grad():
        loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
    return loss.item() / math.log(2)


def main(cfg=TrainConfig()):
    torch.manual_seed(cfg.seed)
    gen = torch.Generator().manual_seed(cfg.seed)
    train_text, test_text = recipes(500, 1), recipes(80, 2)
    chars = sorted(set(train_text))
    table = {c: i for i, c in enumerate(chars)}
    train_ids, test_ids = (torch.tensor([table[c] for c in t]) for t in (train_text, test_text))

    model = CharLM(len(chars), cfg)
    opt = torch.optim.SGD(model.parameters(), lr=cfg.lr, momentum=cfg.momentum)
    for step in range(1, cfg.steps + 1):
        model.train()
        x, y = windows(train_ids, cfg, gen)
        loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), cfg.grad_clip)
        opt.step()
        if step % 40 == 0:
            print(f"step {step:3d} loss {loss.item():.4f}")
    print(f"test bits per char {bits_per_char(model, test_ids, cfg):.3f}")


if __name__ == "__main__":
    main()
