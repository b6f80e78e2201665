# expect: seed_reset_each_epoch @ 78
# allowed: seed_reset_each_epoch @ 46
# mend: 78 +     sampler.set_epoch(epoch)
"""Made-up shop reviews, good or bad, from a bag of embeddings; a sampler in shards as for several workers."""
import random

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Sampler

GOOD = "great lovely fast sturdy bright perfect happy recommend".split()
BAD = "broken slow awful flimsy late refund noisy disappointed".split()
PLAIN = "the box arrived on monday with a lamp and two screws for my desk colour size price shop order".split()
VOCAB = {w: i for i, w in enumerate(GOOD + BAD + PLAIN)}


class Reviews(Dataset):
    def __init__(self, n, seed):
        rnd = random.Random(seed)
        self.items = []
        for _ in range(n):
            label = rnd.randint(0, 1)
            own, other = (GOOD, BAD) if label else (BAD, GOOD)
            words = rnd.choices(PLAIN, k=rnd.randint(4, 10)) + rnd.choices(own, k=2) + rnd.choices(other, k=rnd.randint(0, 1))
            rnd.shuffle(words)
            self.items.append(([VOCAB[w] for w in words], label))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


class ShardSampler(Sampler):
    """Every shard sees its own part of one common random order."""

    def __init__(self, data, shard=0, shards=1, seed=0):
        self.data, self.shard, self.shards, self.seed = data, shard, shards, seed
        self.epoch = 0

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __iter__(self):
        gen = torch.Generator().manual_seed(self.seed + self.epoch)
        order = torch.randperm(len(self.data), generator=gen).tolist()
        return iter(order[self.shard :: self.shards])

    def __len__(self):
        return len(range(self.shard, len(self.data), self.shards))


def collate(batch):
    words, labels = zip(*batch)
    offsets = torch.tensor([0] + [len(w) for w in words[:-1]]).cumsum(0)
    return torch.tensor(sum(words, [])), offsets, torch.tensor(labels)


class BagClassifier(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.bag = nn.EmbeddingBag(len(VOCAB), dim, mode="mean")
        self.out = nn.Linear(dim, 2)

    def forward(self, words, offsets):
        return self.out(self.bag(words, offsets))


torch.manual_seed(7)
train_set, test_set = Reviews(800, seed=70), Reviews(300, seed=71)
sampler = ShardSampler(train_set, seed=7)
train_loader = DataLoader(train_set, batch_size=32, sampler=sampler, collate_fn=collate)
test_loader = DataLoader(test_set, batch_size=100, collate_fn=collate)
model = BagClassifier()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)

for epoch in range(8):
    model.train()
    total = 0.0
    for words, offsets, labels in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(words, offsets), labels)
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(f"epoch {epoch + 1} loss {total / len(train_loader):.4f}")

model.eval()
with torch.no_grad():
    hits = sum((model(w, o).argmax(1) == y).sum().item() for w, o, y in test_loader)
print(f"test accuracy {hits / len(test_set):.3f}")
