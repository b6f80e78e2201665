# expect: nothing
# mends: z_jitter_dataset_for_both.py
"""Waveforms with a random shift and gain in the Dataset, for training and validation alike."""

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset


class Waves(Dataset):
    def __init__(self, signals, kinds, augment):
        self.signals, self.kinds, self.augment = signals, kinds, augment

    def __len__(self):
        return len(self.signals)

    def __getitem__(self, i):
        wave = self.signals[i]
        if self.augment:
            wave = wave.roll(int(torch.randint(-4, 5, ())), -1) * (0.7 + 0.6 * torch.rand(()))
            wave = wave + 0.1 * torch.randn_like(wave)
        return wave, self.kinds[i]


torch.manual_seed(6)
grid = torch.linspace(0, 6.28, 48)
kinds = torch.randint(0, 3, (600,))
signals = torch.stack([torch.sin((k + 1) * grid + torch.rand(()) * 6.28) for k in kinds.tolist()])[:, None]
signals = signals + 0.4 * torch.randn_like(signals)
order = torch.randperm(600).tolist()
train_set = Subset(Waves(signals, kinds, augment=True), order[:480])
valid_set = Subset(Waves(signals, kinds, augment=False), order[480:])
train_loader = DataLoader(train_set, batch_size=40, shuffle=True)
valid_loader = DataLoader(valid_set, batch_size=60)

net = nn.Sequential(
    nn.Conv1d(1, 12, 7, padding=3),
    nn.ReLU(),
    nn.MaxPool1d(4),
    nn.Conv1d(12, 12, 5),
    nn.ReLU(),
    nn.Flatten(),
    nn.Linear(96, 3),
)
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(5):
    net.train()
    for wave, kind in train_loader:
        loss = loss_fn(net(wave), kind)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        hits = sum((net(w).argmax(1) == k).sum().item() for w, k in valid_loader)
    print("epoch", epoch, "valid accuracy", hits / 120)
