# expect: bad_label_values @ 33
# allowed: bad_label_values @ 23
# allowed: bad_label_values @ 58
"""Streaming polarity classifier: an IterableDataset yields lines, a GRU reads them."""
import random

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, IterableDataset

GOOD = "good great lovely superb fine happy".split()
BAD = "bad awful dreadful poor sad angry".split()
NEUTRAL = "the film a plot was actor scene music of and it very".split()
WORDS = {w: i + 1 for i, w in enumerate(GOOD + BAD + NEUTRAL)}


class LineStream(IterableDataset):
    def __init__(self, count, seed):
        self.count, self.rng = count, random.Random(seed)

    def __iter__(self):
        for _ in range(self.count):
            polarity = self.rng.choice([-1, 1])
            pool = GOOD if polarity > 0 else BAD
            words = [self.rng.choice(NEUTRAL) for _ in range(6)] + [self.rng.choice(pool)]
            self.rng.shuffle(words)
            yield " ".join(words), polarity


def encode(batch):
    lines, polarity = zip(*batch)
    ids = torch.tensor([[WORDS[w] for w in line.split()] for line in lines])
    y = torch.tensor(polarity, dtype=torch.float32)
    return ids, y


class Polarity(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(len(WORDS) + 1, 16)
        self.gru = nn.GRU(16, 16, batch_first=True)
        self.out = nn.Linear(16, 1)

    def forward(self, ids):
        return self.out(self.gru(self.emb(ids))[1][-1]).squeeze(-1)


torch.manual_seed(1)
model = Polarity()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
criterion = nn.BCEWithLogitsLoss()
train = DataLoader(LineStream(600, seed=1), batch_size=30, collate_fn=encode)
for epoch in range(6):
    model.train()
    seen = total = 0.0
    for ids, y in train:
        optimizer.zero_grad()
        loss = criterion(model(ids), y)
        loss.backward()
        optimizer.step()
        total, seen = total + loss.item() * len(y), seen + len(y)
    print(f"epoch {epoch} loss {total / seen:.4f}")

model.eval()
with torch.no_grad():
    ids, y = next(iter(DataLoader(LineStream(200, seed=9), batch_size=200, collate_fn=encode)))
    prob = torch.sigmoid(model(ids))
    acc = ((prob > 0.5) == (y > 0)).float().mean().item()
print(f"accuracy {acc:.3f}  mean absolute logit {torch.logit(prob, eps=1e-6).abs().mean().item():.2f}")
