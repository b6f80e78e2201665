# expect: non_finite_loss @ 23
"""Self-attention over padded sets; an empty set masks every key and gives 0/0."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
D, L = 16, 6


class SetEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = nn.Linear(3, D)
        self.qkv = nn.Linear(D, 3 * D)
        self.out = nn.Linear(D, 1)

    def forward(self, x, pad):
        h = self.inp(x)
        q, k, v = self.qkv(h).chunk(3, dim=-1)
        scores = q @ k.transpose(1, 2) / D**0.5
        scores = scores.masked_fill(pad[:, None, :], float("-inf"))
        h = h + F.softmax(scores, dim=-1) @ v
        return self.out(h.mean(1)).squeeze(1)


model = SetEncoder()
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for it in range(60):
    sizes = torch.randint(1, L + 1, (32,))
    if it >= 20:
        sizes[0] = 0  # later batches hold an empty set
    pad = torch.arange(L)[None] >= sizes[:, None]
    x = torch.randn(32, L, 3).masked_fill(pad[..., None], 0.0)
    y = x[..., 0].sum(1) / L
    loss = F.mse_loss(model(x, pad), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 10 == 0:
        print(it, round(loss.item(), 5))
