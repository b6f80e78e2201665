# expect: params_not_in_optimizer @ 14
# allowed: params_not_in_optimizer @ 13
"""Seq2seq with two modules; only the decoder is in the optimizer, and the end is in eval mode."""

import torch
from torch import nn

torch.manual_seed(14)
src = torch.randint(1, 10, (500, 6))
tgt = src.flip(1)
encoder_emb, encoder = nn.Embedding(10, 16), nn.GRU(16, 32, batch_first=True)
decoder_emb, decoder, project = nn.Embedding(10, 16), nn.GRU(16, 32, batch_first=True), nn.Linear(32, 10)
parts = nn.ModuleList([decoder_emb, decoder, project])
optimizer = torch.optim.Adam(parts.parameters(), lr=5e-3)


def run(s, t):
    _, h = encoder(encoder_emb(s))
    shifted = torch.cat([torch.zeros_like(t[:, :1]), t[:, :-1]], 1)
    out, _ = decoder(decoder_emb(shifted), h)
    return nn.functional.cross_entropy(project(out).transpose(1, 2), t)


for epoch in range(6):
    for rows in torch.randperm(400).split(40):
        loss = run(src[rows], tgt[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        print(epoch, loss.item(), run(src[400:], tgt[400:]).item())
