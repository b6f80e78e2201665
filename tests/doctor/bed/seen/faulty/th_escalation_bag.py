# expect: class_imbalance @ 62
"""Flags support tickets that will be escalated: EmbeddingBag over word ids, offsets built in the collate function."""
import random

import torch
from sklearn.metrics import balanced_accuracy_score, classification_report
from torch import nn
from torch.utils.data import DataLoader

CALM = "please question thanks update invoice login page order help account change address setting".split()
TENSE = "refund lawyer unacceptable again broken urgent manager cancel angry waiting".split()
VOCAB = {w: i for i, w in enumerate(CALM + TENSE)}


def tickets(n, seed, rate=0.04):
    rnd = random.Random(seed)
    rows = []
    for _ in range(n):
        escalated = int(rnd.random() < rate)
        p = 0.34 if escalated else 0.22
        words = [rnd.choice(TENSE if rnd.random() < p else CALM) for _ in range(rnd.randint(12, 26))]
        rows.append((" ".join(words), escalated))
    return rows


def collate(rows):
    ids, offsets, labels = [], [], []
    for text, label in rows:
        offsets.append(len(ids))
        ids += [VOCAB[w] for w in text.split()]
        labels.append(label)
    return torch.tensor(ids), torch.tensor(offsets), torch.tensor(labels)


class BagClassifier(nn.Module):
    def __init__(self, dim=12):
        super().__init__()
        self.bag = nn.EmbeddingBag(len(VOCAB), dim, mode="mean")
        self.fc = nn.Linear(dim, 2)

    def forward(self, ids, offsets):
        return self.fc(self.bag(ids, offsets))


def predictions(model, loader):
    model.eval()
    with torch.no_grad():
        out = [(model(i, o).argmax(1), y) for i, o, y in loader]
    return (torch.cat(c).numpy() for c in zip(*out))


torch.manual_seed(6)
train_rows, test_rows = tickets(2500, 60), tickets(1500, 61)
train_dl = DataLoader(train_rows, batch_size=64, shuffle=True, collate_fn=collate)
test_dl = DataLoader(test_rows, batch_size=250, collate_fn=collate)

counts = torch.bincount(torch.tensor([y for _, y in train_rows]), minlength=2).float()
class_weight = counts.sum() / (2 * counts)
print("tickets for each class:", counts.int().tolist())

model = BagClassifier()
criterion = nn.CrossEntropyLoss()
opt = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(6):
    model.train()
    total = 0.0
    for ids, offsets, y in train_dl:
        opt.zero_grad()
        loss = criterion(model(ids, offsets), y)
        loss.backward()
        opt.step()
        total += loss.item()
    print(f"epoch {epoch + 1:2d} loss {total / len(train_dl):.4f}")

pred, true = predictions(model, test_dl)
print(classification_report(true, pred, target_names=["calm", "escalated"], zero_division=0, digits=3))
print(f"balanced accuracy {balanced_accuracy_score(true, pred):.3f}")
