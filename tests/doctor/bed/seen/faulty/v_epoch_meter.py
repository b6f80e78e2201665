# expect: graph_kept_alive @ 18
# allowed: graph_kept_alive @ 48
"""Character-level GRU language model on a repeated phrase; a meter averages the loss."""
import torch
from torch import nn

text = "the quick brown fox jumps over the lazy dog and runs away from the quick brown bear. " * 25
chars = sorted(set(text))
ids = torch.tensor([chars.index(c) for c in text])
torch.manual_seed(14)


class Meter:
    def __init__(self):
        self.total, self.n = 0.0, 0

    def add(self, value):
        self.total = self.total + value
        self.n += 1

    def mean(self):
        return self.total / self.n


class CharModel(nn.Module):
    def __init__(self, v, d=48):
        super().__init__()
        self.emb = nn.Embedding(v, 16)
        self.gru = nn.GRU(16, d, batch_first=True)
        self.out = nn.Linear(d, v)

    def forward(self, s):
        return self.out(self.gru(self.emb(s))[0])


model = CharModel(len(chars))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(4):
    model.train()
    meter = Meter()
    for _ in range(25):
        start = torch.randint(0, len(ids) - 31, (16,))
        seq = torch.stack([ids[s:s + 31] for s in start])
        loss = nn.functional.cross_entropy(model(seq[:, :-1]).flatten(0, 1), seq[:, 1:].flatten())
        opt.zero_grad()
        loss.backward()
        opt.step()
        meter.add(loss)
    print(f"epoch {epoch}: {float(meter.mean()):.4f}")
