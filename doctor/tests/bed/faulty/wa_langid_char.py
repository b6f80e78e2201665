# missed: metric_wrong_axis @ 76
# allowed: metric_wrong_axis @ 77
# mend: 76 →             _, guess = torch.max(scores, 1)
#!/usr/bin/env python
"""Guess which (made-up) language a word was drawn from, one character at a time."""
import argparse
import numpy as np
import torch
import torch.nn as nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset

ALPHABET = "abcdefghijklmnop"
LANGS = ["norric", "sylvan", "ashen", "coral", "umber"]


def transition_table(rng):
    return rng.dirichlet(np.full(len(ALPHABET), 0.25), size=len(ALPHABET))


def sample_words(n_each, rng):
    tables = [transition_table(rng) for _ in LANGS]
    seen, rows = set(), []
    for label, table in enumerate(tables):
        got = 0
        while got < n_each:
            length = int(rng.integers(7, 14))
            word = [int(rng.integers(len(ALPHABET)))]
            while len(word) < length:
                word.append(int(rng.choice(len(ALPHABET), p=table[word[-1]])))
            if tuple(word) in seen:
                continue
            seen.add(tuple(word))
            rows.append((word, label))
            got += 1
    return [rows[i] for i in rng.permutation(len(rows))]


class Words(Dataset):
    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        word, label = self.rows[i]
        return torch.tensor(word) + 1, label


def collate(batch):
    words, labels = zip(*batch)
    lengths = torch.tensor([len(w) for w in words])
    return pad_sequence(words, batch_first=True), lengths, torch.tensor(labels)


class LangRNN(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.emb = nn.Embedding(len(ALPHABET) + 1, 16, padding_idx=0)
        self.rnn = nn.GRU(16, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, len(LANGS))

    def forward(self, x, lengths):
        packed = pack_padded_sequence(self.emb(x), lengths, batch_first=True, enforce_sorted=False)
        _, h = self.rnn(packed)
        return self.fc(h[-1])


def accuracy(model, loader):
    model.eval()
    hits = total = 0
    with torch.no_grad():
        for x, lengths, y in loader:
            scores = model(x, lengths)
            _, guess = torch.max(scores, 0)
            hits += sum(int(g == t) for g, t in zip(guess.tolist(), y.tolist()))
            total += len(y)
    return hits / total


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochs", type=int, default=8)
    ap.add_argument("--hidden", type=int, default=48)
    ap.add_argument("--lr", type=float, default=5e-3)
    args = ap.parse_args()

    torch.manual_seed(0)
    rows = sample_words(160, np.random.default_rng(0))
    n = int(0.8 * len(rows))
    train_dl = DataLoader(Words(rows[:n]), batch_size=32, shuffle=True, collate_fn=collate)
    test_dl = DataLoader(Words(rows[n:]), batch_size=40, collate_fn=collate)

    model = LangRNN(args.hidden)
    loss_fn = nn.CrossEntropyLoss()
    opt = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        model.train()
        running = 0.0
        for x, lengths, y in train_dl:
            opt.zero_grad()
            loss = loss_fn(model(x, lengths), y)
            loss.backward()
            opt.step()
            running += loss.item() * len(y)
        print(f"epoch {epoch + 1}  loss {running / n:.4f}")
    print(f"test accuracy: {accuracy(model, test_dl):.3f}")


if __name__ == "__main__":
    main()
