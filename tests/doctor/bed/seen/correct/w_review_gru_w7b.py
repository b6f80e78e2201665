# expect: nothing
"""Sentiment of short made-up reviews: packed GRU, accumulation of gradients over two batches, clipping at norm one."""
import random

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader

GOOD = "lovely great warm clever bright superb".split()
BAD = "dull awful cold clumsy grey dreadful".split()
PLAIN = "the film was and its plot with a cast in scenes of music".split()


def review(rng):
    """A review counts as good when its praise outweighs its blame; 'not' turns the next word round."""
    while True:
        words, mood = [], 0
        for _ in range(rng.randint(4, 12)):
            draw = rng.random()
            if draw < 0.55:
                words.append(rng.choice(PLAIN))
                continue
            good = rng.random() < 0.5
            sign = 1 if good else -1
            if rng.random() < 0.2:
                words.append("not")
                sign = -sign
            words.append(rng.choice(GOOD if good else BAD))
            mood += sign
        if mood:
            return words, int(mood > 0)


VOCAB = {word: i for i, word in enumerate(["<pad>", "not", *GOOD, *BAD, *PLAIN])}


def collate(batch):
    batch = sorted(batch, key=lambda item: len(item[0]), reverse=True)
    ids = [torch.tensor([VOCAB[w] for w in words]) for words, _ in batch]
    lengths = torch.tensor([len(i) for i in ids])
    return pad_sequence(ids, batch_first=True), lengths, torch.tensor([label for _, label in batch])


class Reader(nn.Module):
    def __init__(self, words, size=24):
        super().__init__()
        self.embed = nn.Embedding(words, 16, padding_idx=0)
        self.gru = nn.GRU(16, size, batch_first=True, bidirectional=True)
        self.out = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * size, 2))

    def forward(self, ids, lengths):
        packed = pack_padded_sequence(self.embed(ids), lengths, batch_first=True)
        _, last = self.gru(packed)
        return self.out(torch.cat([last[0], last[1]], dim=1))


def main():
    torch.manual_seed(8)
    rng = random.Random(8)
    unique = {" ".join(words): (words, label) for words, label in (review(rng) for _ in range(1600))}
    texts = list(unique.values())
    test, train = texts[:300], texts[300:]
    loader = DataLoader(train, batch_size=32, shuffle=True, collate_fn=collate, drop_last=True)
    model = Reader(len(VOCAB))
    optimizer = torch.optim.Adam(model.parameters(), lr=6e-3)
    accumulate = 2
    for epoch in range(8):
        model.train()
        running = 0.0
        optimizer.zero_grad()
        for step, (ids, lengths, label) in enumerate(loader, start=1):
            loss = nn.functional.cross_entropy(model(ids, lengths), label)
            (loss / accumulate).backward()
            running += loss.item()
            if step % accumulate == 0 or step == len(loader):
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                optimizer.zero_grad()
        print(f"epoch {epoch}: {running / len(loader):.4f}")

    model.eval()
    right = 0
    with torch.no_grad():
        for ids, lengths, label in DataLoader(test, batch_size=100, collate_fn=collate):
            right += (model(ids, lengths).argmax(1) == label).sum().item()
    print(f"test accuracy {right / len(test):.3f}")


if __name__ == "__main__":
    main()
