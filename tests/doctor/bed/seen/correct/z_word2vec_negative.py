# expect: nothing
"""Skip-gram with negative sampling; the loss is a sum of log-sigmoids."""

import random

import torch
import torch.nn.functional as F
from torch import nn

random.seed(1)
torch.manual_seed(1)
topics = [["cat", "dog", "cow", "hen"], ["red", "blue", "green", "pink"], ["one", "two", "three", "four"]]
vocab = {w: i for i, w in enumerate(w for t in topics for w in t)}
corpus = [[vocab[w] for w in random.choices(random.choice(topics), k=6)] for _ in range(200)]
pairs = [(s[i], s[j]) for s in corpus for i in range(6) for j in (i - 1, i + 1) if 0 <= j < 6]
pairs = torch.tensor(pairs)


class SkipGram(nn.Module):
    def __init__(self, v, d):
        super().__init__()
        self.u, self.v = nn.Embedding(v, d, sparse=True), nn.Embedding(v, d, sparse=True)
        nn.init.uniform_(self.u.weight, -0.5 / d, 0.5 / d)
        nn.init.zeros_(self.v.weight)

    def forward(self, center, context, noise):
        c = self.u(center)
        good = F.logsigmoid((c * self.v(context)).sum(1))
        bad = F.logsigmoid(-torch.bmm(self.v(noise), c.unsqueeze(2)).squeeze(2)).sum(1)
        return -(good + bad).mean()


model = SkipGram(len(vocab), 8)
optimizer = torch.optim.SparseAdam(list(model.parameters()), lr=0.01)
for epoch in range(4):
    total = 0.0
    for batch in pairs[torch.randperm(len(pairs))].split(100):
        noise = torch.randint(0, len(vocab), (len(batch), 4))
        optimizer.zero_grad()
        loss = model(batch[:, 0], batch[:, 1], noise)
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(f"epoch {epoch} {total / (len(pairs) / 100):.4f}")
E = F.normalize(model.u.weight.detach(), dim=1)
print("nearest to cat", (E @ E[vocab["cat"]]).topk(3).indices.tolist())
