# expect: label_misaligned @ 51
"""Mood of short made-up remarks, read by an LSTM over packed sequences of unequal length."""
import random

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader

GOOD = "lovely superb warm bright kind tasty quick friendly".split()
BAD = "awful cold rude slow bland noisy dirty stale".split()
PLAIN = "the food room staff was and very a bit there place meal today with service of".split()


def remarks(n, seed):
    rng = random.Random(seed)
    out = []
    for _ in range(n):
        mood = rng.random() < 0.5
        words = rng.choices(PLAIN, k=rng.randint(2, 9)) + rng.choices(GOOD if mood else BAD, k=rng.randint(2, 3))
        if rng.random() < 0.4:
            words.append(rng.choice(BAD if mood else GOOD))
        rng.shuffle(words)
        out.append((words, int(mood)))
    return out


class Vocabulary:
    def __init__(self, texts):
        self.index = {w: i for i, w in enumerate(sorted({w for t, _ in texts for w in t}), start=1)}

    def __call__(self, words):
        return torch.tensor([self.index.get(w, 0) for w in words if w in self.index])

    def __len__(self):
        return len(self.index) + 1


class Collate:
    """Pads a batch and puts the longest remark first, as packing likes it."""

    def __init__(self, vocabulary):
        self.vocabulary = vocabulary

    def __call__(self, batch):
        ids = [self.vocabulary(words) for words, _ in batch]
        moods = torch.tensor([float(mood) for _, mood in batch])
        lengths = torch.tensor([len(t) for t in ids])
        lengths, order = lengths.sort(descending=True)
        padded = pad_sequence(ids, batch_first=True)[order]
        return padded, lengths, moods


class Mood(nn.Module):
    def __init__(self, words, width=24):
        super().__init__()
        self.embed = nn.Embedding(words, 16, padding_idx=0)
        self.lstm = nn.LSTM(16, width, batch_first=True)
        self.out = nn.Linear(width, 1)

    def forward(self, padded, lengths):
        packed = pack_padded_sequence(self.embed(padded), lengths, batch_first=True)
        _, (last, _) = self.lstm(packed)
        return self.out(last[-1]).squeeze(1)


def fit(model, loader, epochs):
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(epochs):
        model.train()
        losses = []
        for padded, lengths, moods in loader:
            optimizer.zero_grad()
            loss = criterion(model(padded, lengths), moods)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1}: loss {sum(losses) / len(losses):.4f}")


@torch.no_grad()
def accuracy(model, loader):
    model.eval()
    hits = rows = 0
    for padded, lengths, moods in loader:
        hits += ((model(padded, lengths) > 0).float() == moods).sum().item()
        rows += len(moods)
    return hits / rows


if __name__ == "__main__":
    torch.manual_seed(3)
    train, test = remarks(900, seed=1), remarks(300, seed=2)
    vocabulary = Vocabulary(train)
    collate = Collate(vocabulary)
    model = Mood(len(vocabulary))
    fit(model, DataLoader(train, batch_size=32, shuffle=True, collate_fn=collate), epochs=8)
    print(f"test accuracy {accuracy(model, DataLoader(test, batch_size=100, collate_fn=collate)):.3f}")
