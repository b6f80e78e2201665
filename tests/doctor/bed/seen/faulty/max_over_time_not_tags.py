# expect: metric_wrong_axis @ 26
"""Tagging with as many time steps as tags: max(1) takes the best time for each tag."""

import torch
from torch import nn

torch.manual_seed(0)
V, TAGS, T = 30, 6, 6
tag_of = torch.randint(0, TAGS, (V,))


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(V, 16)
        self.rnn = nn.GRU(16, 16, batch_first=True, bidirectional=True)
        self.out = nn.Linear(32, TAGS)

    def forward(self, x):
        return self.out(self.rnn(self.emb(x))[0])


def evaluate(model):
    words = torch.randint(0, V, (64, T))
    with torch.no_grad():
        _, best = model(words).max(1)
    return (best == tag_of[words]).float().mean().item()


model = Tagger()
opt = torch.optim.Adam(model.parameters(), lr=0.01)
for step in range(1, 81):
    words = torch.randint(0, V, (32, T))
    loss = nn.functional.cross_entropy(model(words).flatten(0, 1), tag_of[words].flatten())
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 20 == 0:
        print(f"step {step} loss {loss.item():.4f} accuracy {evaluate(model):.3f}")
