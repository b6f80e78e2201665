# expect: nothing
"""Help-desk tickets into four priorities: attention pooling over word vectors, class weights in the loss."""
import math
import random
from collections import Counter

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset

PRIORITIES = ["low", "normal", "high", "urgent"]
SHARE = [0.40, 0.40, 0.15, 0.05]
HINTS = [
    "question wish colour font idea nice someday suggestion".split(),
    "password printer install update login account setup licence".split(),
    "slow error fails deadline blocked customer broken repeatedly".split(),
    "outage down breach everyone production lost ransom fire".split(),
]
PLAIN = [f"w{i}" for i in range(60)]


def make_ticket(rng):
    label = rng.choices(range(4), SHARE)[0]
    words = rng.choices(HINTS[label], k=3) + rng.choices(HINTS[rng.randrange(4)], k=1) + rng.choices(PLAIN, k=8)
    if label == 3:
        words += rng.choices(HINTS[2], k=1)
    rng.shuffle(words)
    return words, label


class Tickets(Dataset):
    def __init__(self, rows, vocab):
        self.items = [([vocab.get(w, 1) for w in words], y) for words, y in rows]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]

    @staticmethod
    def collate(batch):
        width = max(len(ids) for ids, _ in batch)
        padded = torch.zeros(len(batch), width, dtype=torch.long)
        for row, (ids, _) in enumerate(batch):
            padded[row, :len(ids)] = torch.tensor(ids)
        return padded, torch.tensor([y for _, y in batch])


class AttentionPool(nn.Module):
    def __init__(self, n_words, dim=32):
        super().__init__()
        self.emb = nn.Embedding(n_words, dim, padding_idx=0)
        self.query = nn.Parameter(torch.randn(dim) / math.sqrt(dim))
        self.key = nn.Linear(dim, dim)
        self.head = nn.Linear(dim, len(PRIORITIES))

    def forward(self, ids):
        e = self.emb(ids)
        scores = (self.key(e) @ self.query).masked_fill(ids == 0, float("-inf"))
        pooled = torch.einsum("bt,btd->bd", scores.softmax(dim=1), e)
        return self.head(pooled)


def class_weights(labels):
    counts = torch.bincount(torch.tensor(labels), minlength=len(PRIORITIES)).float()
    return counts.sum() / (len(PRIORITIES) * counts)


def run_epoch(model, loader, weight, optimizer):
    model.train()
    total = 0.0
    for ids, y in loader:
        loss = F.cross_entropy(model(ids), y, weight=weight)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


@torch.no_grad()
def report(model, loader):
    model.eval()
    confusion = torch.zeros(4, 4, dtype=torch.long)
    for ids, y in loader:
        confusion.index_put_((y, model(ids).argmax(dim=1)), torch.tensor(1), accumulate=True)
    for name, row in zip(PRIORITIES, confusion):
        print(f"{name:>7} {row.tolist()}")
    recalls = confusion.diag() / confusion.sum(dim=1)
    print("recall:", {n: round(r.item(), 3) for n, r in zip(PRIORITIES, recalls)}, f"mean {recalls.mean().item():.3f}")


def main():
    torch.manual_seed(17)
    rng = random.Random(17)
    rows = [make_ticket(rng) for _ in range(2400)]
    train_rows, test_rows = rows[:1800], rows[1800:]
    words = Counter(w for ws, _ in train_rows for w in ws)
    vocab = {w: i + 2 for i, w in enumerate(sorted(words))}
    train_loader = DataLoader(Tickets(train_rows, vocab), 64, shuffle=True, collate_fn=Tickets.collate)
    test_loader = DataLoader(Tickets(test_rows, vocab), 300, collate_fn=Tickets.collate)
    weight = class_weights([y for _, y in train_rows])
    model = AttentionPool(len(vocab) + 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for epoch in range(8):
        print(f"epoch {epoch + 1}  loss {run_epoch(model, train_loader, weight, optimizer):.4f}")
    report(model, test_loader)


if __name__ == "__main__":
    main()
