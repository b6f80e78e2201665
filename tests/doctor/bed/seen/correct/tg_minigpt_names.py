# expect: nothing
"""A minimal character-level GPT on made-up place names (after minGPT)."""
import math
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch.nn import functional as F


@dataclass
class GPTConfig:
    vocab_size: int
    block_size: int
    n_embd: int = 32
    n_head: int = 4
    n_layer: int = 2


class CausalSelfAttention(nn.Module):
    def __init__(self, c: GPTConfig):
        super().__init__()
        self.n_head = c.n_head
        self.qkv = nn.Linear(c.n_embd, 3 * c.n_embd)
        self.proj = nn.Linear(c.n_embd, c.n_embd)
        self.register_buffer("mask", torch.tril(torch.ones(c.block_size, c.block_size)).bool())

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = (t.view(B, T, self.n_head, -1).transpose(1, 2) for t in self.qkv(x).chunk(3, dim=-1))
        att = (q @ k.transpose(-2, -1)) / math.sqrt(q.size(-1))
        att = att.masked_fill(~self.mask[:T, :T], float("-inf"))
        y = F.softmax(att, dim=-1) @ v
        return self.proj(y.transpose(1, 2).reshape(B, T, C))


class Block(nn.Module):
    def __init__(self, c: GPTConfig):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(c.n_embd), nn.LayerNorm(c.n_embd)
        self.attn = CausalSelfAttention(c)
        self.mlp = nn.Sequential(nn.Linear(c.n_embd, 4 * c.n_embd), nn.GELU(), nn.Linear(4 * c.n_embd, c.n_embd))

    def forward(self, x):
        x = x + self.attn(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self, c: GPTConfig):
        super().__init__()
        self.wte = nn.Embedding(c.vocab_size, c.n_embd)
        self.wpe = nn.Embedding(c.block_size, c.n_embd)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.n_layer))
        self.ln_f = nn.LayerNorm(c.n_embd)
        self.head = nn.Linear(c.n_embd, c.vocab_size, bias=False)

    def forward(self, idx, targets=None):
        x = self.wte(idx) + self.wpe(torch.arange(idx.size(1)))
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.ln_f(x))
        loss = None
        if targets is not None:
            loss = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.reshape(-1), ignore_index=-1)
        return logits, loss


def make_names():
    first = ["nor", "sut", "ash", "lang", "mel", "har", "wood", "brad", "king", "stan", "whit", "ox", "thorn", "dun"]
    middle = ["", "ing", "er", "el", "s"]
    last = ["ton", "ham", "ford", "bury", "ley", "field", "wick", "by", "well", "mouth"]
    return [a + m + z for a in first for m in middle for z in last]


if __name__ == "__main__":
    torch.manual_seed(3407)
    names = make_names()
    chars = sorted(set("".join(names)))
    stoi = {c: i + 1 for i, c in enumerate(chars)}
    block = max(map(len, names)) + 1
    x = torch.zeros(len(names), block, dtype=torch.long)
    y = torch.full((len(names), block), -1)
    for i, name in enumerate(names):
        codes = torch.tensor([stoi[c] for c in name])
        x[i, 1:1 + len(codes)] = codes
        y[i, :len(codes)] = codes
        y[i, len(codes)] = 0
    order = torch.randperm(len(names))
    test, train = order[:100], order[100:]
    model = GPT(GPTConfig(len(chars) + 1, block))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    for step in range(200):
        pick = train[torch.randint(len(train), (64,))]
        _, loss = model(x[pick], y[pick])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 50 == 49:
            print(f"step {step + 1} train loss {loss.item():.4f}")
    model.eval()
    with torch.no_grad():
        print(f"test loss {model(x[test], y[test])[1].item():.4f}")
