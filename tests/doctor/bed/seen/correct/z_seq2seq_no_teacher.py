# expect: nothing
"""Reversing digits with an encoder-decoder; padding ignored in the loss; greedy decoding at the end."""

import torch
from torch import nn

torch.manual_seed(2)
PAD, BOS, V = 0, 1, 8


def batch(n):
    lengths = torch.randint(3, 6, (n,))
    src = torch.randint(2, V, (n, 5))
    src[torch.arange(5) >= lengths[:, None]] = PAD
    tgt = torch.zeros_like(src)
    for i, k in enumerate(lengths.tolist()):
        tgt[i, :k] = src[i, :k].flip(0)
    return src, tgt


class Seq2Seq(nn.Module):
    def __init__(self, h=40):
        super().__init__()
        self.emb = nn.Embedding(V, 16, padding_idx=PAD)
        self.enc = nn.GRU(16, h, batch_first=True)
        self.dec = nn.GRUCell(16, h)
        self.out = nn.Linear(h, V)

    def forward(self, src, tgt=None, teacher=0.5):
        _, h = self.enc(self.emb(src))
        h, token, outs = h[0], torch.full((len(src),), BOS), []
        for t in range(5):
            h = self.dec(self.emb(token), h)
            logits = self.out(h)
            outs.append(logits)
            forced = tgt is not None and torch.rand(()) < teacher
            token = tgt[:, t] if forced else logits.argmax(1)
        return torch.stack(outs, 1)


model = Seq2Seq()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
criterion = nn.CrossEntropyLoss(ignore_index=PAD)
for step in range(120):
    src, tgt = batch(48)
    optimizer.zero_grad()
    loss = criterion(model(src, tgt).reshape(-1, V), tgt.reshape(-1))
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step % 40 == 39:
        print(step + 1, round(loss.item(), 4))
model.eval()
with torch.no_grad():
    src, tgt = batch(64)
    guess = model(src).argmax(-1)
    print("tokens right", (guess == tgt)[tgt != PAD].float().mean().item())
