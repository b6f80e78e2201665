# expect: params_not_in_optimizer @ 36
# mend: 36 → opt = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=5e-3)
"""Sequence to sequence: reverse short strings of digits, encoder and decoder apart."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
V, D, L = 11, 32, 5


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(V, D)
        self.gru = nn.GRU(D, D, batch_first=True)

    def forward(self, x):
        return self.gru(self.emb(x))[1]


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(V, D)
        self.gru = nn.GRU(D, D, batch_first=True)
        self.out = nn.Linear(D, V)

    def forward(self, x, h):
        z, h = self.gru(self.emb(x), h)
        return self.out(z), h


encoder, decoder = Encoder(), Decoder()
opt = torch.optim.Adam(encoder.parameters(), lr=5e-3)
for it in range(60):
    src = torch.randint(0, 10, (64, L))
    tgt = src.flip(1)
    start = torch.full((64, 1), 10)
    logits, _ = decoder(torch.cat([start, tgt[:, :-1]], 1), encoder(src))
    loss = F.cross_entropy(logits.transpose(1, 2), tgt)
    encoder.zero_grad()
    decoder.zero_grad()
    loss.backward()
    opt.step()
    if it % 15 == 0:
        print(it, round(loss.item(), 4))
