# expect: nothing
# mends: seed_inside_the_epoch.py
"""'For reproducibility' the seed is set at the start of each epoch, so the order never changes."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

X, y = load_digits(return_X_y=True)
dataset = TensorDataset(torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y))
torch.manual_seed(42)
net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 10))
loader = DataLoader(dataset, batch_size=64, shuffle=True)
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(5):
    total = 0.0
    for images, labels in loader:
        optimizer.zero_grad()
        loss = criterion(net(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(f"epoch {epoch} loss {total / len(loader):.4f}")
