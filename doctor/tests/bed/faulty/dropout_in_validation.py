# expect: missing_eval @ 34
# mend: 30 +     model.eval()
"""Validation under no_grad, but dropout stays on."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X = torch.tensor(X / 16, dtype=torch.float32)
y = torch.tensor(y)
tr, va = train_test_split(range(len(X)), test_size=0.25, random_state=0, stratify=y.numpy())
train_loader = DataLoader(TensorDataset(X[tr], y[tr]), batch_size=64, shuffle=True)
val_loader = DataLoader(TensorDataset(X[va], y[va]), batch_size=256)

model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

for epoch in range(5):
    model.train()
    for xb, yb in train_loader:
        loss = F.cross_entropy(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    correct, val_loss = 0, 0.0
    with torch.no_grad():
        for xb, yb in val_loader:
            out = model(xb)
            val_loss += F.cross_entropy(out, yb, reduction="sum").item()
            correct += (out.argmax(1) == yb).sum().item()
    print(f"epoch {epoch} val loss {val_loss / len(va):.4f} val accuracy {correct / len(va):.3f}")
