# expect: lr_too_high @ 44
# allowed: lr_too_high @ 53
"""Sentiment-like text classification with embeddings, lengths padded in collate."""
import argparse

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader


def reviews(n, g):
    rows = []
    for _ in range(n):
        length = int(torch.randint(6, 18, (1,), generator=g))
        label = int(torch.randint(0, 2, (1,), generator=g))
        neutral = torch.randint(21, 100, (length,), generator=g)
        lo = 1 if label == 0 else 11
        mood = torch.randint(lo, lo + 10, (length,), generator=g)
        use = torch.rand(length, generator=g) < 0.25
        rows.append((torch.where(use, mood, neutral), label))
    return rows


def pad(batch):
    x = pad_sequence([r for r, _ in batch], batch_first=True)
    return x, torch.tensor([l for _, l in batch])


class TextNet(nn.Module):
    def __init__(self, vocab=100, d=20):
        super().__init__()
        self.emb = nn.Embedding(vocab, d, padding_idx=0)
        self.gru = nn.GRU(d, 20, batch_first=True, bidirectional=True)
        self.fc = nn.Sequential(nn.Dropout(0.1), nn.Linear(40, 2))

    def forward(self, x):
        h, _ = self.gru(self.emb(x))
        return self.fc(h.max(dim=1).values)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--lr", type=float, default=1.0)
    ap.add_argument("--epochs", type=int, default=6)
    ap.add_argument("--batch-size", type=int, default=32)
    args = ap.parse_args([])
    torch.manual_seed(110)
    g = torch.Generator().manual_seed(1)
    train = DataLoader(reviews(700, g), batch_size=args.batch_size, shuffle=True, collate_fn=pad)
    test = DataLoader(reviews(300, g), batch_size=100, collate_fn=pad)
    model = TextNet()
    opt = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        model.train()
        total = 0.0
        for x, y in train:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            opt.step()
            total += loss.item()
        print(f"epoch {epoch} loss {total / len(train):.4f}")
    model.eval()
    with torch.no_grad():
        ok = sum((model(x).argmax(1) == y).sum().item() for x, y in test)
    print(f"test accuracy {ok / 300:.3f}")


if __name__ == "__main__":
    main()
