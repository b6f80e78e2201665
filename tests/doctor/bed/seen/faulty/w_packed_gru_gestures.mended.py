# expect: nothing
"""Gestures of different lengths (made-up 2-D strokes), packed GRU, four classes."""
import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader

GESTURES = ("circle", "zigzag", "eight", "spiral")


def stroke(kind, rng):
    n = int(rng.integers(18, 45))
    t = np.linspace(0, 2 * np.pi, n)
    if kind == "circle":
        xy = np.stack([np.cos(t), np.sin(t)], 1)
    elif kind == "zigzag":
        xy = np.stack([t / np.pi - 1, 2 * np.abs((3 * t / np.pi) % 2 - 1) - 1], 1)
    elif kind == "eight":
        xy = np.stack([np.sin(t), np.sin(2 * t)], 1)
    else:
        xy = (t / (2 * np.pi))[:, None] * np.stack([np.cos(2 * t), np.sin(2 * t)], 1)
    angle = rng.uniform(-0.4, 0.4)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    xy = rng.uniform(0.7, 1.2) * xy @ turn + 0.08 * rng.standard_normal((n, 2))
    return torch.from_numpy(xy.astype(np.float32))


def make_set(n, rng):
    kinds = rng.integers(0, len(GESTURES), n)
    return [(stroke(GESTURES[k], rng), int(k)) for k in kinds]


def by_length(batch):
    """Longest stroke first, so that the sequences can be packed as they are."""
    strokes = [s for s, _ in batch]
    labels = torch.tensor([k for _, k in batch])
    lengths = torch.tensor([len(s) for s in strokes])
    lengths, order = lengths.sort(descending=True)
    padded = pad_sequence([strokes[i] for i in order], batch_first=True)
    return padded, lengths, labels[order]


class GestureNet(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.gru = nn.GRU(2, hidden, batch_first=True)
        self.head = nn.Linear(hidden, len(GESTURES))

    def forward(self, padded, lengths):
        packed = pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=True)
        _, last = self.gru(packed)
        return self.head(last[-1])


class Fitter:
    def __init__(self, model, lr, clip=1.0):
        self.model, self.clip = model, clip
        self.loss = nn.CrossEntropyLoss()
        self.opt = torch.optim.Adam(model.parameters(), lr=lr)

    def fit(self, loader, epochs):
        for epoch in range(epochs):
            self.model.train()
            seen, total = 0, 0.0
            for padded, lengths, labels in loader:
                loss = self.loss(self.model(padded, lengths), labels)
                self.opt.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
                self.opt.step()
                seen += len(labels)
                total += loss.item() * len(labels)
            print(f"epoch {epoch + 1}: {total / seen:.4f}")

    @torch.no_grad()
    def score(self, loader):
        self.model.eval()
        right = [(self.model(p, n).argmax(dim=1) == k).float() for p, n, k in loader]
        return torch.cat(right).mean().item()


if __name__ == "__main__":
    torch.manual_seed(7)
    rng = np.random.default_rng(7)
    train = DataLoader(make_set(640, rng), batch_size=32, shuffle=True, collate_fn=by_length)
    test = DataLoader(make_set(200, rng), batch_size=50, collate_fn=by_length)
    fitter = Fitter(GestureNet(), lr=8e-3)
    fitter.fit(train, epochs=7)
    print(f"test accuracy {fitter.score(test):.4f}")
