# expect: exploding_sum_loss @ 88
# allowed: exploding_sum_loss @ 89
# allowed: exploding_sum_loss @ 97
# Copy-and-shift task with a GRU tagger, batches of like length.
import math
import random

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset, Sampler

random.seed(1)
torch.manual_seed(1)

PAD, BOS, V = 0, 1, 14


class Shifted(Dataset):
    """source digits d1..dn -> target digits (d_i + d_{i-1})"""

    def __init__(self, n):
        self.rows = []
        for _ in range(n):
            src = [random.randint(2, V - 1) for _ in range(random.randint(6, 16))]
            prev = [2] + src[:-1]
            tgt = [(a + b) % (V - 2) + 2 for a, b in zip(src, prev)]
            self.rows.append((src, tgt))

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i]


class BucketBatches(Sampler):
    def __init__(self, lengths, size):
        self.lengths, self.size = lengths, size

    def __iter__(self):
        order = sorted(range(len(self.lengths)), key=lambda i: (self.lengths[i], random.random()))
        batches = [order[i:i + self.size] for i in range(0, len(order), self.size)]
        random.shuffle(batches)
        return iter(batches)

    def __len__(self):
        return math.ceil(len(self.lengths) / self.size)


def collate(rows):
    n = max(len(s) for s, _ in rows)
    src = torch.full((len(rows), n), PAD)
    tgt = torch.full((len(rows), n), PAD)
    for i, (s, t) in enumerate(rows):
        src[i, :len(s)] = torch.tensor(s)
        tgt[i, :len(t)] = torch.tensor(t)
    return src, tgt


class Tagger(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.emb = nn.Embedding(V, d, padding_idx=PAD)
        self.rnn = nn.GRU(d, 64, batch_first=True)
        self.ff = nn.Sequential(nn.Linear(64, 64), nn.GELU(), nn.Linear(64, V))

    def forward(self, src):
        h, _ = self.rnn(self.emb(src))
        return self.ff(h)


def token_accuracy(model, loader):
    model.eval()
    ok = n = 0
    with torch.no_grad():
        for src, tgt in loader:
            keep = tgt != PAD
            ok += ((model(src).argmax(-1) == tgt) & keep).sum().item()
            n += keep.sum().item()
    return ok / n


train_set, test_set = Shifted(1500), Shifted(300)
train = DataLoader(train_set, collate_fn=collate, batch_sampler=BucketBatches([len(s) for s, _ in train_set.rows], 25))
test = DataLoader(test_set, batch_size=100, collate_fn=collate)

model = Tagger()
criterion = nn.CrossEntropyLoss(ignore_index=PAD, reduction="sum")
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)

for epoch in range(1, 13):
    model.train()
    total = 0.0
    for src, tgt in train:
        optimizer.zero_grad()
        logits = model(src)
        loss = criterion(logits.view(-1, V), tgt.view(-1))
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % 2 == 0:
        print(f"epoch {epoch:2d} | loss {total / len(train):.3f}")
print(f"test token accuracy {token_accuracy(model, test):.3f}")
