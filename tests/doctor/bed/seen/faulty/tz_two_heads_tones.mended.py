# expect: nothing
"""Short audio-like clips: one encoder, two heads (instrument and pitch class)."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

RATE, LENGTH = 800, 128
PITCHES = [40.0, 55.0, 75.0, 100.0, 130.0]
TIMBRES = {"flute": [1.0, 0.1], "clarinet": [1.0, 0.0, 0.7], "violin": [1.0, 0.8, 0.6, 0.4]}


class Clips(Dataset):
    def __init__(self, n, seed):
        rng = np.random.default_rng(seed)
        t = np.arange(LENGTH) / RATE
        overtones = list(TIMBRES.values())
        self.inst = rng.integers(len(overtones), size=n)
        self.pitch = rng.integers(len(PITCHES), size=n)
        waves = []
        for i, p in zip(self.inst, self.pitch):
            phase = rng.uniform(0, 2 * np.pi)
            f0 = PITCHES[p] * rng.normal(1, 0.01)
            w = sum(a * np.sin(2 * np.pi * f0 * (h + 1) * t + phase) for h, a in enumerate(overtones[i]))
            w = w + rng.normal(0, 0.3, LENGTH)
            waves.append(w / w.std())
        spec = np.abs(np.fft.rfft(np.stack(waves) * np.hanning(LENGTH)))
        self.x = np.log1p(spec).astype(np.float32)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], {"instrument": self.inst[i], "pitch": self.pitch[i]}


class ToneNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.LayerNorm(LENGTH // 2 + 1), nn.Linear(LENGTH // 2 + 1, 64), nn.LayerNorm(64), nn.ReLU(), nn.Dropout(0.1))
        self.heads = nn.ModuleDict({"instrument": nn.Linear(64, len(TIMBRES)), "pitch": nn.Linear(64, len(PITCHES))})

    def forward(self, x):
        z = self.encoder(x)
        return {name: head(z) for name, head in self.heads.items()}


class Accuracy:
    """Plain Python hit counter for one head."""

    def __init__(self):
        self.hits = self.count = 0

    def update(self, scores, truth):
        guesses = scores.argmax(axis=1).tolist()
        for guess, true in zip(guesses, truth.tolist()):
            self.hits += guess == true
            self.count += 1

    def value(self):
        return self.hits / self.count


def evaluate(net, loader):
    meters = {name: Accuracy() for name in net.heads}
    net.eval()
    with torch.inference_mode():
        for x, y in loader:
            for name, scores in net(x).items():
                meters[name].update(scores.numpy(), y[name])
    net.train()
    return {name: round(m.value(), 3) for name, m in meters.items()}


def fit(net, loader, valid, epochs):
    ce = nn.CrossEntropyLoss()
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    for epoch in range(1, epochs + 1):
        sums = dict.fromkeys(net.heads, 0.0)
        for x, y in loader:
            parts = {name: ce(out, y[name]) for name, out in net(x).items()}
            opt.zero_grad()
            sum(parts.values()).backward()
            opt.step()
            for name, part in parts.items():
                sums[name] += part.item() / len(loader)
        print(epoch, {k: round(v, 4) for k, v in sums.items()}, "valid", evaluate(net, valid))


if __name__ == "__main__":
    torch.manual_seed(8)
    train_loader = DataLoader(Clips(700, seed=1), batch_size=32, shuffle=True)
    valid_loader = DataLoader(Clips(150, seed=2), batch_size=50)
    test_loader = DataLoader(Clips(200, seed=3), batch_size=50)
    net = ToneNet()
    fit(net, train_loader, valid_loader, epochs=6)
    print("test", evaluate(net, test_loader))
