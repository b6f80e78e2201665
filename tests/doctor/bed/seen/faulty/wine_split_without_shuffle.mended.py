# expect: nothing
# mends: wine_split_without_shuffle.py
"""train_test_split with shuffle=False on a table that is sorted by class."""

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
scaler = StandardScaler().fit(X_train)


def loader(features, labels, shuffle):
    x = torch.tensor(scaler.transform(features), dtype=torch.float32)
    return DataLoader(TensorDataset(x, torch.tensor(labels)), batch_size=25, shuffle=shuffle)


train_dl, val_dl = loader(X_train, y_train, True), loader(X_val, y_val, False)
model = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
opt = torch.optim.AdamW(model.parameters(), lr=0.01)
for epoch in range(8):
    for xb, yb in train_dl:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
    with torch.no_grad():
        hits = sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in val_dl)
    print(f"epoch {epoch} train loss {loss.item():.3f} validation accuracy {hits / len(y_val):.3f}")
