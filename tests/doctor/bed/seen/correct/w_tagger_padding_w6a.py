# expect: nothing
"""Word tagging of padded made-up addresses with a bidirectional LSTM and accumulated gradients."""
import random
from functools import partial

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

TAGS = ["name", "street", "number", "city"]
FIRST = "anna ben carla dirk emma franz greta hugo ida jan may rose".split()
LAST = "berg stein wood hill mill baker york lane".split()
STREET = "oak mill rose hill station church york king".split()
KIND = "street lane road".split()
CITY = "york ulm bath cork trier wells may hill".split()
IGNORE = -100


def address(rng):
    parts = [(rng.choice(FIRST), 0), (rng.choice(LAST), 0), (rng.choice(STREET), 1), (rng.choice(KIND), 1)]
    if rng.random() < 0.3:
        parts.insert(1, (rng.choice(FIRST), 0))
    number = [(str(rng.randint(1, 60)), 2)] if rng.random() < 0.8 else []
    city = [(rng.choice(CITY), 3)] + ([(rng.choice(CITY), 3)] if rng.random() < 0.15 else [])
    words = parts + number + city
    return [w for w, _ in words], [t for _, t in words]


def unique_addresses(n, rng):
    found = {}
    while len(found) < n:
        words, tags = address(rng)
        found[" ".join(words)] = (words, tags)
    return list(found.values())


def collate(rows, vocab):
    ids = [torch.tensor([vocab.get(w, 1) for w in words]) for words, _ in rows]
    tags = [torch.tensor(t) for _, t in rows]
    return pad_sequence(ids, batch_first=True), pad_sequence(tags, batch_first=True, padding_value=IGNORE)


class Tagger(nn.Module):
    def __init__(self, n_words, emb=16, hidden=24):
        super().__init__()
        self.emb = nn.Embedding(n_words, emb, padding_idx=0)
        self.drop = nn.Dropout(0.1)
        self.lstm = nn.LSTM(emb, hidden, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * hidden, len(TAGS))

    def forward(self, ids):
        h, _ = self.lstm(self.drop(self.emb(ids)))
        return self.out(h)


def train_epoch(model, loader, optimizer, accumulate=2):
    model.train()
    optimizer.zero_grad()
    total = words = 0
    batches = list(loader)
    for start in range(0, len(batches), accumulate):
        group = batches[start:start + accumulate]
        n = sum((tags != IGNORE).sum().item() for _, tags in group)
        for ids, tags in group:
            loss = nn.functional.cross_entropy(model(ids).transpose(1, 2), tags, ignore_index=IGNORE, reduction="sum") / n
            loss.backward()
            total += loss.item() * n
        words += n
        optimizer.step()
        optimizer.zero_grad()
    return total / words


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    right = words = whole = rows = 0
    for ids, tags in loader:
        real = tags != IGNORE
        hit = model(ids).argmax(dim=-1) == tags
        right += (hit & real).sum().item()
        words += real.sum().item()
        whole += (hit | ~real).all(dim=1).sum().item()
        rows += len(tags)
    return right / words, whole / rows


def main():
    torch.manual_seed(29)
    rows = unique_addresses(1100, random.Random(29))
    train, test = rows[:800], rows[800:]
    vocab = {w: i + 2 for i, w in enumerate(sorted({w for words, _ in train for w in words}))}
    join = partial(collate, vocab=vocab)
    train_loader = DataLoader(train, batch_size=16, shuffle=True, collate_fn=join)
    test_loader = DataLoader(test, batch_size=100, collate_fn=join)
    model = Tagger(len(vocab) + 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(1, 7):
        loss = train_epoch(model, train_loader, optimizer)
        print(f"epoch {epoch}  loss per word {loss:.4f}")
    print("test: words %.3f, whole addresses %.3f" % evaluate(model, test_loader))


if __name__ == "__main__":
    main()
