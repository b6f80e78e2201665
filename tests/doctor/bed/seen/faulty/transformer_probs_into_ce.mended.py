# expect: nothing
# mends: transformer_probs_into_ce.py
"""A tiny transformer classifies the majority token of a padded sequence."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
V, L, D = 4, 12, 24


def sample(n):
    lengths = torch.randint(5, L + 1, (n,))
    mask = torch.arange(L)[None] >= lengths[:, None]
    bias = torch.randint(0, V, (n, 1))
    tokens = torch.where(torch.rand(n, L) < 0.5, bias, torch.randint(0, V, (n, L)))
    counts = F.one_hot(tokens, V).masked_fill(mask[..., None], 0).sum(1)
    return tokens, mask, counts.argmax(1)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(V, D)
        self.q, self.k, self.v = nn.Linear(D, D), nn.Linear(D, D), nn.Linear(D, D)
        self.head = nn.Linear(D, V)

    def forward(self, tokens, mask):
        h = self.emb(tokens)
        att = self.q(h) @ self.k(h).transpose(1, 2) / D**0.5
        att = att.masked_fill(mask[:, None, :], float("-inf")).softmax(-1)
        h = h + att @ self.v(h)
        keep = (~mask).float()[..., None]
        pooled = (h * keep).sum(1) / keep.sum(1)
        return self.head(pooled)


net = Classifier()
opt = torch.optim.AdamW(net.parameters(), lr=5e-3, weight_decay=0.01)
for it in range(120):
    tokens, mask, label = sample(64)
    out = net(tokens, mask)
    loss = F.cross_entropy(out.view(-1, V), label)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 30 == 0:
        print(f"{it:3d} loss {loss.item():.4f} accuracy {(out.argmax(1) == label).float().mean():.3f}")
