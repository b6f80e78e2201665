# expect: nothing
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset, Subset

SEED = 17
np.random.seed(SEED)
torch.manual_seed(SEED)

SHAPES = ["sine", "square", "sawtooth", "chirp", "noise"]


def waveform(kind, n=48):
    t = np.linspace(0, 1, n)
    f, phase = np.random.uniform(2, 4), np.random.uniform(0, 1)
    u = f * t + phase
    if kind == "sine":
        w = np.sin(2 * np.pi * u)
    elif kind == "square":
        w = np.sign(np.sin(2 * np.pi * u))
    elif kind == "sawtooth":
        w = 2 * (u % 1) - 1
    elif kind == "chirp":
        w = np.sin(2 * np.pi * (u + 3 * t ** 2))
    else:
        w = np.random.randn(n)
    return w + 0.15 * np.random.randn(n)


class WaveDataset(Dataset):
    """One folder of recordings after the other, as they lie on the disk."""

    def __init__(self, per_class=200):
        self.items = []
        for label, kind in enumerate(SHAPES):
            for _ in range(per_class):
                self.items.append((waveform(kind), label))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        wave, label = self.items[i]
        return torch.tensor(wave, dtype=torch.float32).unsqueeze(-1), label


class WaveLSTM(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * hidden, len(SHAPES))

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(out.amax(dim=1))


dataset = WaveDataset()
n_train = int(0.8 * len(dataset))
indices = np.random.permutation(len(dataset)).tolist()
train_set = Subset(dataset, indices[:n_train])
test_set = Subset(dataset, indices[n_train:])

train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
test_loader = DataLoader(test_set, batch_size=128)

net = WaveLSTM()
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)


def accuracy(loader):
    net.eval()
    hits = seen = 0
    with torch.no_grad():
        for x, y in loader:
            hits += (net(x).argmax(1) == y).sum().item()
            seen += len(y)
    return hits / seen


for epoch in range(10):
    net.train()
    total = 0.0
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = loss_fn(net(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
    print(f"epoch {epoch + 1}: loss {total / len(train_set):.3f}")

print(f"train acc {accuracy(train_loader):.3f}")
print(f"test acc  {accuracy(test_loader):.3f}")
