# expect: nothing
# mends: char_rnn_tbptt.py
"""A character RNN trained by truncated backpropagation through time."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(5)
text = "the quick brown fox jumps over the lazy dog. pack my box with five dozen liquor jugs. " * 8
vocab = sorted(set(text))
stoi = {c: i for i, c in enumerate(vocab)}
ids = torch.tensor([stoi[c] for c in text])
B, T = 4, 12
stream = ids[: len(ids) // B * B].view(B, -1)


class CharRNN(nn.Module):
    def __init__(self, n, d=32):
        super().__init__()
        self.emb = nn.Embedding(n, d)
        self.rnn = nn.GRU(d, d, batch_first=True)
        self.head = nn.Linear(d, n)

    def forward(self, x, h=None):
        z, h = self.rnn(self.emb(x), h)
        return self.head(z), h


def repackage(h):
    return None if h is None else h.detach()


model = CharRNN(len(vocab))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(2):
    hidden, losses = None, []
    for i in range(0, stream.size(1) - T - 1, T):
        x, y = stream[:, i : i + T], stream[:, i + 1 : i + T + 1]
        hidden = repackage(hidden)
        logits, hidden = model(x, hidden)
        loss = F.cross_entropy(logits.reshape(-1, len(vocab)), y.reshape(-1))
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        losses.append(loss.item())
    print(f"epoch {epoch} bits per char {sum(losses) / len(losses) / 0.6931:.3f}")
