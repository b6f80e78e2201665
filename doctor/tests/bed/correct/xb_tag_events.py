# expect: nothing
"""Support tickets as token sequences -> which components are touched (multi-label), with a packed GRU."""
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn as nn
from sklearn.model_selection import train_test_split
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset

COMPONENTS = {
    "login": ["password", "token", "session", "sso"],
    "billing": ["invoice", "refund", "card", "vat"],
    "search": ["query", "index", "ranking", "typo"],
    "mail": ["inbox", "smtp", "bounce", "spam"],
    "upload": ["file", "quota", "timeout", "zip"],
}
FILLER = "the a my please error again since update customer page is not working after".split()


@dataclass
class Ticket:
    words: list
    mentions: list = field(default_factory=list)     # component id of every mention, in order


def write_ticket(rng):
    names, words, mentions = list(COMPONENTS), [], []
    for _ in range(rng.integers(1, 5)):
        c = int(rng.choice(len(names), p=[0.3, 0.25, 0.2, 0.15, 0.1]))
        words += [*rng.choice(FILLER, size=rng.integers(2, 5)), rng.choice(COMPONENTS[names[c]])]
        mentions.append(c)
    return Ticket(words, mentions)


def unique_tickets(n, seed=0):
    rng, seen = np.random.default_rng(seed), {}
    while len(seen) < n:
        t = write_ticket(rng)
        seen.setdefault(" ".join(t.words), t)
    return list(seen.values())


class Vocab:
    def __init__(self, tickets):
        counts = Counter(w for t in tickets for w in t.words)
        self.ids = {w: i + 2 for i, w in enumerate(sorted(counts))}

    def __call__(self, words):
        return torch.tensor([self.ids.get(w, 1) for w in words])

    def __len__(self):
        return len(self.ids) + 2


def multi_hot(mentions, k=len(COMPONENTS)):
    counts = torch.bincount(torch.tensor(mentions), minlength=k)
    return (counts > 0).float()


class Tickets(Dataset):
    def __init__(self, tickets, vocab):
        self.rows = [(vocab(t.words), multi_hot(t.mentions)) for t in tickets]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i]


def collate(rows):
    seqs, ys = zip(*rows)
    return pad_sequence(seqs, batch_first=True), torch.tensor([len(s) for s in seqs]), torch.stack(ys)


class Tagger(nn.Module):
    def __init__(self, n_words, n_out=len(COMPONENTS), dim=32):
        super().__init__()
        self.emb = nn.Embedding(n_words, dim, padding_idx=0)
        self.gru = nn.GRU(dim, dim, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * dim, n_out))

    def forward(self, x, lengths):
        _, h = self.gru(pack_padded_sequence(self.emb(x), lengths, batch_first=True, enforce_sorted=False))
        return self.head(torch.cat([h[0], h[1]], dim=-1))


def run_epoch(model, loader, loss_fn, opt):
    model.train()
    total = 0.0
    for x, lengths, y in loader:
        loss = loss_fn(model(x, lengths), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(y)
    return total / len(loader.dataset)


@torch.no_grad()
def report(model, loader):
    model.eval()
    hit = torch.zeros(len(COMPONENTS))
    for x, lengths, y in loader:
        hit += ((model(x, lengths) > 0) == (y > 0)).float().sum(0)
    return (hit / len(loader.dataset)).tolist()


if __name__ == "__main__":
    torch.manual_seed(0)
    train, test = train_test_split(unique_tickets(900), test_size=0.2, random_state=0)
    vocab = Vocab(train)
    loader = DataLoader(Tickets(train, vocab), batch_size=32, shuffle=True, collate_fn=collate)
    test_loader = DataLoader(Tickets(test, vocab), batch_size=64, collate_fn=collate)
    model = Tagger(len(vocab))
    opt = torch.optim.Adam(model.parameters(), lr=5e-3)
    loss_fn = nn.BCEWithLogitsLoss()
    for epoch in range(6):
        print(f"epoch {epoch} loss {run_epoch(model, loader, loss_fn, opt):.4f}")
    for name, acc in zip(COMPONENTS, report(model, test_loader)):
        print(f"  {name:8s} {acc:.3f}")
