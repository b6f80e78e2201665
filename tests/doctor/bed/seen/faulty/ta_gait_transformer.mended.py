# expect: nothing
"""Activity from three-axis accelerometer windows with a small Transformer encoder and OneCycle."""
import math
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset, random_split


@dataclass
class Config:
    d_model: int = 32
    nhead: int = 4
    layers: int = 2
    dropout: float = 0.1
    batch_size: int = 48
    epochs: int = 7
    max_lr: float = 3e-3
    seed: int = 55


def accelerometer(n, length=32):
    """walking, running, stairs, sitting"""
    kind = torch.randint(0, 4, (n,))
    t = torch.arange(length).float()
    freq = torch.tensor([0.12, 0.24, 0.09, 0.0])[kind].view(n, 1, 1) * (1 + 0.1 * torch.randn(n, 1, 1))
    size = torch.tensor([[1.0, 0.5, 0.3], [1.2, 0.9, 0.6], [0.7, 0.4, 1.0], [0.1, 0.1, 0.1]])[kind].unsqueeze(1)
    phase = torch.rand(n, 1, 1) * 2 * math.pi
    wave = size * torch.sin(2 * math.pi * freq * t.view(1, length, 1) + phase)
    return wave + 0.5 * torch.randn(n, length, 3), kind


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, length):
        super().__init__()
        position = torch.arange(length).unsqueeze(1)
        div = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        table = torch.zeros(1, length, d_model)
        table[0, :, 0::2], table[0, :, 1::2] = torch.sin(position * div), torch.cos(position * div)
        self.register_buffer("table", table)

    def forward(self, x):
        return x + self.table[:, : x.size(1)]


class ActivityNet(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.embed = nn.Linear(3, cfg.d_model)
        self.position = PositionalEncoding(cfg.d_model, 32)
        layer = nn.TransformerEncoderLayer(cfg.d_model, cfg.nhead, 2 * cfg.d_model, cfg.dropout, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, cfg.layers)
        self.head = nn.Linear(cfg.d_model, 4)

    def forward(self, x):
        return self.head(self.encoder(self.position(self.embed(x))).mean(dim=1))


def accuracy(model, loader):
    model.eval()
    hits = total = 0
    with torch.no_grad():
        for x, y in loader:
            hits += (model(x).argmax(-1) == y).sum().item()
            total += len(y)
    return hits / total


cfg = Config()
torch.manual_seed(cfg.seed)
x, y = accelerometer(1100)
train_set, test_set = random_split(TensorDataset(x, y), [816, 284])
train_loader = DataLoader(train_set, cfg.batch_size, shuffle=True)
test_loader = DataLoader(test_set, 142)
model = ActivityNet(cfg)
criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
optimizer = torch.optim.AdamW(model.parameters(), lr=cfg.max_lr / 25)
scheduler = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, max_lr=cfg.max_lr, epochs=cfg.epochs, steps_per_epoch=len(train_loader)
)
for epoch in range(cfg.epochs):
    model.train()
    total = 0.0
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item()
    print(f"epoch {epoch + 1} loss {total / len(train_loader):.3f}")
print(f"test accuracy {accuracy(model, test_loader):.3f}")
