# expect: nothing
"""Sentiment of short reviews with a bag of attended words (stopwords dropped first)."""
import random
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, BatchSampler, RandomSampler

random.seed(21)
np.random.seed(21)
torch.manual_seed(21)

GOOD = "great lovely superb fresh tasty friendly quick charming".split()
BAD = "awful stale rude slow bland dirty noisy greasy".split()
THINGS = "pizza soup waiter table music dessert coffee bread service view".split()
STOP = "the it was and this is a so very we i".split()


def review(label):
    own, other = (GOOD, BAD) if label else (BAD, GOOD)
    if random.random() < 0.02:
        words = random.sample(STOP, 4)
    else:
        words = random.choices(THINGS, k=4) + random.choices(own, k=3) + random.choices(other, k=1)
        words += random.choices(STOP, k=6)
        random.shuffle(words)
    return " ".join(words), label


def tokens(text):
    return [w for w in text.split() if w not in STOP]


class Vocab(dict):
    def fit(self, texts):
        for t in texts:
            for w in tokens(t):
                self.setdefault(w, len(self) + 2)
        return self

    def encode(self, text):
        return torch.tensor([self.get(w, 1) for w in tokens(text)], dtype=torch.long)


class Collate:
    def __init__(self, vocab):
        self.vocab = vocab

    def __call__(self, rows):
        ids = [self.vocab.encode(text) for text, _ in rows]
        x = nn.utils.rnn.pad_sequence(ids, batch_first=True)
        return x, torch.tensor([y for _, y in rows], dtype=torch.float32)


class AttentionPool(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.score = nn.Sequential(nn.Linear(dim, dim), nn.Tanh(), nn.Linear(dim, 1))

    def forward(self, h, pad):
        a = self.score(h).squeeze(-1).masked_fill(pad, -1e9)
        w = torch.softmax(a, dim=1)
        return torch.einsum("bt,btd->bd", w, h)


class Classifier(nn.Module):
    def __init__(self, n, dim=16):
        super().__init__()
        self.emb = nn.Embedding(n, dim, padding_idx=0)
        self.pool = AttentionPool(dim)
        self.out = nn.Linear(dim, 1)

    def forward(self, x):
        return self.out(self.pool(self.emb(x), x == 0)).squeeze(1)


data = [review(k % 2) for k in range(1200)]
train, test = data[:900], data[900:]
vocab = Vocab().fit(t for t, _ in train)
sampler = BatchSampler(RandomSampler(train), batch_size=45, drop_last=False)
train_dl = DataLoader(train, batch_sampler=sampler, collate_fn=Collate(vocab))
test_dl = DataLoader(test, batch_size=150, collate_fn=Collate(vocab))

net = Classifier(len(vocab) + 2)
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
bce = nn.BCEWithLogitsLoss()
for epoch in range(6):
    net.train()
    losses = []
    for x, y in train_dl:
        loss = bce(net(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    print(f"epoch {epoch}: loss {np.mean(losses):.4f}")

net.eval()
with torch.no_grad():
    right = sum(((net(x) > 0).float() == y).sum().item() for x, y in test_dl)
print(f"test accuracy: {right / len(test):.3f} on {len(test)} reviews")
