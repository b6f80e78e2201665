# expect: nothing
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_diabetes
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
table = load_diabetes()

series = torch.sin(torch.arange(900) / 9.0) + 0.3 * torch.sin(torch.arange(900) / 3.7) + 0.1 * torch.randn(900)
windows = series.unfold(0, 25, 1)
pred_len = 1
past, future = windows[:, :24], windows[:, 24]

class PatchMixer(nn.Module):
    def __init__(self, pred_len):
        super().__init__()
        self.patch, self.mix, self.head = nn.Linear(6, 16), nn.Linear(4, 4), nn.Linear(64, pred_len)

    def forward(self, x):
        h = torch.relu(self.patch(x.view(-1, 4, 6)))
        h = h + self.mix(h.transpose(1, 2)).transpose(1, 2)
        return self.head(h.flatten(1))

def run_epoch(model, loader, criterion, opt=None):
    total = 0.0
    for x_batch, y_batch in loader:
        pred = model(x_batch)
        loss = criterion(pred, y_batch.view_as(pred))
        if opt is not None:
            opt.zero_grad()
            loss.backward()
            opt.step()
        total += loss.item() * len(x_batch)
    return total / len(loader.dataset)

model, criterion = PatchMixer(pred_len), nn.MSELoss()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
train_loader = DataLoader(TensorDataset(past[:600], future[:600]), 64, shuffle=True)
val_loader = DataLoader(TensorDataset(past[640:], future[640:]), 64)
for epoch in range(8):
    train = run_epoch(model, train_loader, criterion, opt)
    with torch.no_grad():
        print(epoch, round(train, 4), round(run_epoch(model, val_loader, criterion), 4))
