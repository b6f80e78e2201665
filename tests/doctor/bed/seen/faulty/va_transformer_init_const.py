# expect: symmetric_init @ 67
# allowed: symmetric_init @ 65
# allowed: symmetric_init @ 66
"""Is the bracket string balanced?  A two-layer transformer encoder, built by make_model()."""
import copy
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(17)
LENGTH = 12


def clones(module, N):
    return nn.ModuleList([copy.deepcopy(module) for _ in range(N)])


class MultiHeadedAttention(nn.Module):
    def __init__(self, h, d_model):
        super().__init__()
        self.d_k, self.h = d_model // h, h
        self.linears = clones(nn.Linear(d_model, d_model), 4)

    def forward(self, x):
        nb, T, d = x.shape
        q, k, v = [l(x).view(nb, T, self.h, self.d_k).transpose(1, 2) for l in self.linears[:3]]
        scores = q @ k.transpose(-2, -1) / math.sqrt(self.d_k)
        x = F.softmax(scores, dim=-1) @ v
        return self.linears[3](x.transpose(1, 2).reshape(nb, T, d))


class EncoderLayer(nn.Module):
    def __init__(self, d_model, attn, d_ff):
        super().__init__()
        self.attn = attn
        self.ff = nn.Sequential(nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model))
        self.norms = clones(nn.LayerNorm(d_model), 2)

    def forward(self, x):
        x = x + self.attn(self.norms[0](x))
        return x + self.ff(self.norms[1](x))


class Classifier(nn.Module):
    def __init__(self, vocab, d_model, d_ff, h, N):
        super().__init__()
        self.tok = nn.Embedding(vocab, d_model)
        self.pos = nn.Embedding(LENGTH, d_model)
        self.layers = clones(EncoderLayer(d_model, MultiHeadedAttention(h, d_model), d_ff), N)
        self.norm = nn.LayerNorm(d_model)
        self.head = nn.Linear(d_model, 2)

    def forward(self, ids):
        x = self.tok(ids) + self.pos(torch.arange(ids.size(1)))
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x).mean(1))


def make_model(vocab=2, d_model=32, d_ff=64, h=4, N=2):
    model = Classifier(vocab, d_model, d_ff, h, N)
    # This was important from their code.
    for p in model.parameters():
        if p.dim() > 1:
            nn.init.constant_(p, 1.0 / math.sqrt(d_model))
    return model


def balanced(bits):
    depth = 0
    for b in bits:
        depth += 1 if b == 0 else -1
        if depth < 0:
            return False
    return depth == 0


def dataset():
    every = [[(n >> i) & 1 for i in range(LENGTH)] for n in range(2 ** LENGTH)]
    half = [b for b in every if sum(b) == LENGTH // 2]
    good = [b for b in half if balanced(b)]
    bad = [b for b in half if not balanced(b)]
    bad = [bad[i] for i in torch.randperm(len(bad))[: len(good)].tolist()]
    x = torch.tensor(good + bad)
    y = torch.tensor([1] * len(good) + [0] * len(bad))
    perm = torch.randperm(len(x))
    return x[perm], y[perm]


def run_epoch(x, y, model, opt=None, size=16):
    training = opt is not None
    model.train(training)
    order = torch.randperm(len(x)) if training else torch.arange(len(x))
    loss_sum = hits = 0.0
    with torch.set_grad_enabled(training):
        for idx in order.split(size):
            logits = model(x[idx])
            loss = F.cross_entropy(logits, y[idx])
            if training:
                opt.zero_grad()
                loss.backward()
                opt.step()
            loss_sum += loss.item() * len(idx)
            hits += (logits.argmax(-1) == y[idx]).sum().item()
    return loss_sum / len(x), hits / len(x)


x, y = dataset()
cut = int(0.8 * len(x))
model = make_model()
opt = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.98))
for epoch in range(14):
    tl, ta = run_epoch(x[:cut], y[:cut], model, opt)
    if epoch % 2:
        vl, va = run_epoch(x[cut:], y[cut:], model)
        print(f"epoch {epoch + 1:2d}  train {tl:.3f}/{ta:.2f}  held out {vl:.3f}/{va:.2f}")
