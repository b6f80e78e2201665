# expect: missing_no_grad @ 85
# allowed: missing_no_grad @ 86
"""A minGPT-like trainer on made-up sentences, characters as tokens; reports bits per character on held-out text."""
import math
import random
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch.nn import functional as F


@dataclass
class GPTConfig:
    vocab_size: int
    block_size: int = 32
    n_layer: int = 2
    n_head: int = 4
    n_embd: int = 48


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(c.n_embd), nn.LayerNorm(c.n_embd)
        self.attn = nn.MultiheadAttention(c.n_embd, c.n_head, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(c.n_embd, 4 * c.n_embd), nn.GELU(), nn.Linear(4 * c.n_embd, c.n_embd))

    def forward(self, x, mask):
        h = self.ln1(x)
        x = x + self.attn(h, h, h, attn_mask=mask, need_weights=False)[0]
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.tok, self.pos = nn.Embedding(c.vocab_size, c.n_embd), nn.Embedding(c.block_size, c.n_embd)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.n_layer))
        self.ln_f, self.head = nn.LayerNorm(c.n_embd), nn.Linear(c.n_embd, c.vocab_size, bias=False)

    def forward(self, idx, targets=None):
        t = idx.shape[1]
        mask = torch.triu(torch.ones(t, t, dtype=torch.bool), 1)
        x = self.tok(idx) + self.pos(torch.arange(t))
        for block in self.blocks:
            x = block(x, mask)
        logits = self.head(self.ln_f(x))
        loss = None if targets is None else F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        return logits, loss


def made_up_text(n, seed):
    r = random.Random(seed)
    who, does, what = ["the fox", "a sailor", "my aunt", "the king"], ["sees", "paints", "sells"], ["a boat", "the moon", "red apples"]
    return " ".join(f"{r.choice(who)} {r.choice(does)} {r.choice(what)}." for _ in range(n))


class Trainer:
    def __init__(self, model, data, held_out, block_size, steps=150, batch_size=24, lr=3e-3):
        self.model, self.data, self.held_out, self.block = model, data, held_out, block_size
        self.steps, self.batch_size = steps, batch_size
        self.opt = torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.95), weight_decay=0.1)

    def batch(self):
        start = torch.randint(len(self.data) - self.block, (self.batch_size,)).tolist()
        chunk = torch.stack([self.data[i:i + self.block + 1] for i in start])
        return chunk[:, :-1], chunk[:, 1:]

    def run(self):
        self.model.train()
        for step in range(self.steps):
            _, loss = self.model(*self.batch())
            self.opt.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.opt.step()
            if step % 50 == 0:
                print(f"step {step}: train loss {loss.item():.4f}")

    def bits_per_char(self):
        self.model.eval()
        rows = self.held_out[:(len(self.held_out) - 1) // self.block * self.block + 1]
        x, y = rows[:-1].view(-1, self.block), rows[1:].view(-1, self.block)
        torch.no_grad()
        losses = [self.model(a, b)[1].item() * len(a) for a, b in zip(x.split(32), y.split(32))]
        return sum(losses) / len(x) / math.log(2)


torch.manual_seed(1337)
text, other = made_up_text(500, seed=1), made_up_text(120, seed=2)
vocab = sorted(set(text))
encode = lambda s: torch.tensor([vocab.index(c) for c in s])
config = GPTConfig(vocab_size=len(vocab))
trainer = Trainer(GPT(config), encode(text), encode(other), config.block_size)
trainer.run()
print(f"held-out bits per character {trainer.bits_per_char():.3f}")
