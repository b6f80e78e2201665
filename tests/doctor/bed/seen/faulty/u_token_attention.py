# expect: softmax_wrong_dim @ 33
"""Does a short token sequence hold its key word after its trigger word? A one-layer attention encoder written by hand."""
import math

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

VOCAB, LENGTH, KEY, TRIGGER = 12, 14, 1, 2


def make_sequences(n, gen):
    x = torch.randint(3, VOCAB, (n, LENGTH), generator=gen)
    spots = torch.stack([torch.randperm(LENGTH, generator=gen)[:2] for _ in range(n)])
    rows = torch.arange(n)
    x[rows, spots[:, 0]] = KEY
    x[rows, spots[:, 1]] = TRIGGER
    return x, (spots[:, 0] > spots[:, 1]).long()


class SelfAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads, self.width = heads, dim // heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        B, T, D = x.shape
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        q, k, v = (t.view(B, T, self.heads, self.width).transpose(1, 2) for t in (q, k, v))
        scores = q @ k.transpose(-2, -1) / math.sqrt(self.width)
        weights = scores.softmax(dim=1)
        mixed = (weights @ v).transpose(1, 2).reshape(B, T, D)
        return self.proj(mixed)


class Encoder(nn.Module):
    def __init__(self, dim=32, heads=2):
        super().__init__()
        self.tok = nn.Embedding(VOCAB, dim)
        self.pos = nn.Parameter(torch.randn(LENGTH, dim) * 0.5)
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attn = SelfAttention(dim, heads)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))
        self.head = nn.Linear(dim, 2)

    def forward(self, x):
        h = self.tok(x) + self.pos
        h = h + self.attn(self.norm1(h))
        h = h + self.mlp(self.norm2(h))
        return self.head(h.mean(dim=1))


def main():
    torch.manual_seed(17)
    gen = torch.Generator().manual_seed(17)
    x, y = make_sequences(2000, gen)
    train, test = TensorDataset(x[:1600], y[:1600]), TensorDataset(x[1600:], y[1600:])
    model = Encoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(8):
        model.train()
        total = 0.0
        for xb, yb in DataLoader(train, batch_size=64, shuffle=True, generator=gen):
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(yb)
        print(f"epoch {epoch + 1} loss {total / len(train):.4f}")
    model.eval()
    right = 0
    with torch.no_grad():
        for xb, yb in DataLoader(test, batch_size=200):
            right += (model(xb).argmax(dim=1) == yb).sum().item()
    print(f"test accuracy {right / len(test):.3f}")


if __name__ == "__main__":
    main()
