# expect: nll_without_log_softmax @ 21
"""Bigram language model on a flat stream; NLLLoss takes the decoder's raw scores."""

import torch
from torch import nn

torch.manual_seed(0)
corpus = ("a rose is a rose is a rose and so on and on " * 40).split()
vocab = {w: i for i, w in enumerate(dict.fromkeys(corpus))}
stream = torch.tensor([vocab[w] for w in corpus])


class Bigram(nn.Module):
    def __init__(self, n, d=16):
        super().__init__()
        self.encoder = nn.Embedding(n, d)
        self.decoder = nn.Linear(d, n)

    def forward(self, tokens):
        decoded = self.decoder(self.encoder(tokens))
        return decoded.view(-1, len(vocab))


lm = Bigram(len(vocab))
criterion = nn.NLLLoss()
lr = 0.5
for epoch in range(3):
    total, count = 0.0, 0
    for i in range(0, len(stream) - 21, 20):
        lm.zero_grad()
        loss = criterion(lm(stream[i : i + 20]), stream[i + 1 : i + 21])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(lm.parameters(), 0.25)
        with torch.no_grad():
            for p in lm.parameters():
                p.add_(p.grad, alpha=-lr)
        total += loss.item()
        count += 1
    print(f"| end of epoch {epoch} | loss {total / count:5.2f}")
