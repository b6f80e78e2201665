# expect: nothing
"""Character language model with bf16 autocast, GRU."""
import math
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass
class Config:
    seed: int = 9
    block: int = 24
    batch: int = 32
    steps: int = 250
    embed: int = 24
    hidden: int = 64
    lr: float = 0.5
    momentum: float = 0.9
    grad_clip: float = 1.0
    amp: bool = True


WORDS = ["the", "red", "fox", "ran", "over", "a", "hill", "and", "saw", "blue", "bird"]


def make_corpus(n_words, gen):
    idx = torch.randint(len(WORDS), (n_words,), generator=gen).tolist()
    return " ".join(WORDS[i] for i in idx)


class CharGRU(nn.Module):
    def __init__(self, vocab, cfg):
        super().__init__()
        self.emb = nn.Embedding(vocab, cfg.embed)
        self.rnn = nn.GRU(cfg.embed, cfg.hidden, batch_first=True)
        self.head = nn.Linear(cfg.hidden, vocab)

    def forward(self, idx):
        h, _ = self.rnn(self.emb(idx))
        return self.head(h)


def get_batch(data, cfg, gen):
    ix = torch.randint(len(data) - cfg.block - 1, (cfg.batch,), generator=gen)
    x = torch.stack([data[i:i + cfg.block] for i in ix.tolist()])
    y = torch.stack([data[i + 1:i + 1 + cfg.block] for i in ix.tolist()])
    return x, y


@torch.no_grad()
def estimate(model, data, cfg, rounds=10):
    model.eval()
    gen = torch.Generator().manual_seed(123)
    losses = torch.zeros(rounds)
    for k in range(rounds):
        x, y = get_batch(data, cfg, gen)
        losses[k] = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
    model.train()
    return losses.mean().item()


def main():
    cfg = Config()
    torch.manual_seed(cfg.seed)
    gen = torch.Generator().manual_seed(cfg.seed)
    text = make_corpus(4000, gen)
    chars = sorted(set(text))
    stoi = {c: i for i, c in enumerate(chars)}
    data = torch.tensor([stoi[c] for c in text])
    cut = int(0.9 * len(data))
    train, held = data[:cut], data[cut:]

    model = CharGRU(len(chars), cfg)
    opt = torch.optim.SGD(model.parameters(), lr=cfg.lr, momentum=cfg.momentum)
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    for step in range(1, cfg.steps + 1):
        x, y = get_batch(train, cfg, gen)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=cfg.amp):
            logits = model(x)
        loss = F.cross_entropy(logits.float().flatten(0, 1), y.flatten())
        opt.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        scaler.unscale_(opt)
        torch.nn.utils.clip_grad_norm_(model.parameters(), cfg.grad_clip)
        scaler.step(opt)
        scaler.update()
        if step % 50 == 0:
            print(f"step {step:4d}  loss {loss.item():.4f}")
    held_loss = estimate(model, held, cfg)
    print(f"held-out loss {held_loss:.4f}  perplexity {math.exp(held_loss):.3f}  vocab {len(chars)}")


if __name__ == "__main__":
    main()
