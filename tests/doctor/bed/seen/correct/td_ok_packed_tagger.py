# expect: nothing
"""Tagging of made-up addresses (street, number, town) with a packed bidirectional LSTM; padding carries the label -1."""
import random

import torch
import torch.nn as nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader

TAGS = ["other", "street", "number", "town"]
STREETS = "mill church park king green oak station river".split()
TOWNS = "york leeds derby king oxford park lincoln derry".split()
FILLER = "please send it to me at care of the house near".split()
PAD = 0
WORDS = {w: i + 1 for i, w in enumerate(sorted(set(STREETS + TOWNS + FILLER + ["street", "lane", "in"] + [str(n) for n in range(1, 40)])))}


def address(rng):
    """'king' and 'park' are streets as well as towns: only the neighbours tell."""
    words = [(w, 0) for w in rng.sample(FILLER, rng.randint(1, 6))]
    words += [(str(rng.randint(1, 39)), 2), (rng.choice(STREETS), 1), (rng.choice(["street", "lane"]), 1)]
    if rng.random() < 0.8:
        words += [("in", 0), (rng.choice(TOWNS), 3)]
    return torch.tensor([WORDS[w] for w, _ in words]), torch.tensor([t for _, t in words])


def collate(batch):
    batch = sorted(batch, key=lambda pair: len(pair[0]), reverse=True)
    words, tags = zip(*batch)
    lengths = torch.tensor([len(w) for w in words])
    return pad_sequence(words, True, PAD), lengths, pad_sequence(tags, True, -1)


class Tagger(nn.Module):
    def __init__(self, dim=24, hidden=24):
        super().__init__()
        self.embed = nn.Embedding(len(WORDS) + 1, dim, padding_idx=PAD)
        self.lstm = nn.LSTM(dim, hidden, batch_first=True, bidirectional=True)
        self.drop = nn.Dropout(0.2)
        self.out = nn.Linear(2 * hidden, len(TAGS))

    def forward(self, words, lengths):
        packed = pack_padded_sequence(self.embed(words), lengths, batch_first=True)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return self.out(self.drop(states))


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    right, count = torch.zeros(len(TAGS)), torch.zeros(len(TAGS))
    for words, lengths, tags in loader:
        guess = model(words, lengths).argmax(dim=-1)
        real = tags != -1
        count += torch.bincount(tags[real], minlength=len(TAGS))
        right += torch.bincount(tags[real & (guess == tags)], minlength=len(TAGS))
    return (right / count).tolist()


def main():
    torch.manual_seed(20)
    rng = random.Random(20)
    train = [address(rng) for _ in range(600)]
    known = {tuple(w.tolist()) for w, _ in train}
    test = [pair for pair in (address(rng) for _ in range(250)) if tuple(pair[0].tolist()) not in known]
    train_loader = DataLoader(train, batch_size=30, shuffle=True, collate_fn=collate)
    test_loader = DataLoader(test, batch_size=50, collate_fn=collate)

    model = Tagger()
    criterion = nn.CrossEntropyLoss(ignore_index=-1)
    optimizer = torch.optim.Adam(model.parameters(), lr=8e-3)
    for epoch in range(4):
        model.train()
        total = 0.0
        for words, lengths, tags in train_loader:
            logits = model(words, lengths)
            loss = criterion(logits.view(-1, len(TAGS)), tags.view(-1))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
            optimizer.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total / len(train_loader):.4f}")
    print("test:", ", ".join(f"{t} {s:.3f}" for t, s in zip(TAGS, evaluate(model, test_loader))))


if __name__ == "__main__":
    main()
