# expect: missing_eval @ 74
"""Praise or complaint: made-up reviews through a packed bidirectional LSTM with dropout; a Runner object does the rest."""
import random

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader

GOOD, BAD = "lovely great superb kind fresh".split(), "awful rude stale broken slow".split()
FILL = "the food room staff was and we very then there came with table night again".split()


def reviews(n, r):
    """A 'not' before a judging word turns it round."""
    rows = []
    for _ in range(n):
        label, words = r.randint(0, 1), r.choices(FILL, k=r.randint(4, 12))
        for _ in range(2):
            turned = r.random() < 0.3
            word = r.choice(GOOD if label != turned else BAD)
            at = r.randint(0, len(words))
            words[at:at] = ["not", word] if turned else ["so", word]
        rows.append((words, label))
    return rows


class Vocab:
    def __init__(self, rows):
        self.index = {w: i + 2 for i, w in enumerate(sorted({w for words, _ in rows for w in words}))}

    def __len__(self):
        return len(self.index) + 2

    def collate(self, rows):
        ids = [torch.tensor([self.index.get(w, 1) for w in words]) for words, _ in rows]
        lengths = torch.tensor([len(i) for i in ids])
        return pad_sequence(ids, batch_first=True), lengths, torch.tensor([y for _, y in rows]).float()


class ReviewNet(nn.Module):
    def __init__(self, n_words, dim=24, hidden=24, p=0.5):
        super().__init__()
        self.embed = nn.Embedding(n_words, dim, padding_idx=0)
        self.drop = nn.Dropout(p)
        self.lstm = nn.LSTM(dim, hidden, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * hidden, 1)

    def forward(self, ids, lengths):
        packed = pack_padded_sequence(self.drop(self.embed(ids)), lengths, batch_first=True, enforce_sorted=False)
        _, (h, _) = self.lstm(packed)
        return self.out(self.drop(torch.cat([h[0], h[1]], dim=1))).squeeze(1)


class Runner:
    def __init__(self, model, lr):
        self.model = model
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        self.criterion = nn.BCEWithLogitsLoss()

    def train_epoch(self, loader):
        self.model.train()
        total = 0.0
        for ids, lengths, y in loader:
            loss = self.criterion(self.model(ids, lengths), y)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(y)
        return total / len(loader.dataset)

    @torch.no_grad()
    def score(self, loader):
        self.model.eval
        hits = [(self.model(ids, lengths) > 0).float() == y for ids, lengths, y in loader]
        return torch.cat(hits).float().mean().item()


torch.manual_seed(23)
r = random.Random(23)
train_rows, test_rows = reviews(500, r), reviews(300, r)
vocab = Vocab(train_rows)
train_loader = DataLoader(train_rows, batch_size=25, shuffle=True, collate_fn=vocab.collate)
test_loader = DataLoader(test_rows, batch_size=100, collate_fn=vocab.collate)
runner = Runner(ReviewNet(len(vocab)), lr=5e-3)
for epoch in range(1, 13):
    loss = runner.train_epoch(train_loader)
    if epoch % 4 == 0:
        print(f"epoch {epoch}: loss {loss:.4f}")
print(f"test accuracy {runner.score(test_loader):.3f}")
