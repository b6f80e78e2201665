# expect: params_not_in_optimizer @ 53
import random

import torch
import torch.nn as nn
import torch.nn.functional as F

random.seed(1)
torch.manual_seed(1)

BOS, V, L, H = 0, 9, 6, 64


def toy_batch(n):
    """digits 1..8, target: the same digits backwards"""
    src = torch.randint(1, V, (n, L))
    return src, src.flip(1)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(V, 24)
        self.rnn = nn.GRU(24, H, batch_first=True)

    def forward(self, src):
        _, hidden = self.rnn(self.embed(src))
        return hidden


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(V, 24)
        self.rnn = nn.GRU(24, H, batch_first=True)
        self.out = nn.Linear(H, V)

    def step(self, token, hidden):
        y, hidden = self.rnn(self.embed(token), hidden)
        return self.out(y[:, 0]), hidden

    def forward(self, hidden, target=None):
        token = torch.full((hidden.size(1), 1), BOS)
        logits = []
        for t in range(L):
            step_logits, hidden = self.step(token, hidden)
            logits.append(step_logits)
            token = (target[:, t] if target is not None else step_logits.argmax(1)).unsqueeze(1)
        return torch.stack(logits, dim=1)


encoder, decoder = Encoder(), Decoder()
optimizer = torch.optim.Adam(decoder.parameters(), lr=5e-3)

test_src, test_tgt = toy_batch(300)

encoder.train()
decoder.train()
running = 0.0
for it in range(1, 301):
    src, tgt = toy_batch(40)
    optimizer.zero_grad()
    logits = decoder(encoder(src), tgt)
    loss = F.cross_entropy(logits.reshape(-1, V), tgt.reshape(-1))
    loss.backward()
    optimizer.step()
    running += loss.item()
    if it % 60 == 0:
        print(f"iter {it}: loss {running / 60:.4f}")
        running = 0.0

encoder.eval()
decoder.eval()
with torch.no_grad():
    pred = decoder(encoder(test_src)).argmax(-1)
print("token accuracy   ", round((pred == test_tgt).float().mean().item(), 3))
print("sequence accuracy", round((pred == test_tgt).all(1).float().mean().item(), 3))
