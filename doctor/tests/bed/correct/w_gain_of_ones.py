# expect: nothing
"""A table of ones beside one at random, and a table of class scores from zero: both learn well."""
import torch
from torch import nn

torch.manual_seed(0)
words = torch.randint(0, 40, (1500, 6))
y = (words < 13).sum(1).clamp(1, 3) - 1
scores = nn.EmbeddingBag(40, 3, mode="mean")
nn.init.zeros_(scores.weight)
gain, meaning = nn.Embedding(40, 5), nn.Embedding(40, 5)
nn.init.ones_(gain.weight)
head = nn.Linear(5, 3)
every = [*scores.parameters(), *gain.parameters(), *meaning.parameters(), *head.parameters()]
opt = torch.optim.Adam(every, lr=2e-2)
for epoch in range(5):
    for idx in torch.randperm(1500).split(100):
        opt.zero_grad()
        w = words[idx]
        out = scores(w) + head((gain(w) * meaning(w)).mean(1))
        loss = nn.functional.cross_entropy(out, y[idx])
        loss.backward()
        opt.step()
    print(epoch, loss.item())
