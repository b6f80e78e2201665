# expect: nothing
"""Pulsar-star table, heavy dropout and batch norm; a prediction helper scores test rows one chunk at a time."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(110)
X, y = make_classification(1600, n_features=12, n_informative=8, class_sep=1.2, random_state=110)
Xa, Xb, ya, yb = train_test_split(X.astype(np.float32), y, test_size=0.25, random_state=110, stratify=y)
mean, std = Xa.mean(0), Xa.std(0)
Xa, Xb = torch.from_numpy((Xa - mean) / std), torch.from_numpy((Xb - mean) / std)
ya, yb = torch.tensor(ya, dtype=torch.float32), torch.tensor(yb, dtype=torch.float32)


def get_model():
    return nn.Sequential(nn.Linear(12, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.5),
                         nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 1))


def fit(model, epochs=12):
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    dl = DataLoader(TensorDataset(Xa, ya), batch_size=64, shuffle=True, drop_last=True)
    model.train()
    for epoch in range(epochs):
        total = 0.0
        for xb, t in dl:
            opt.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(model(xb).squeeze(1), t)
            loss.backward()
            opt.step()
            total += loss.item()
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1}: {total / len(dl):.4f}")
    return model


def predict_proba(model, X, chunk=20):
    model.eval()
    out = []
    with torch.no_grad():
        for part in X.split(chunk):
            out.append(torch.sigmoid(model(part)).squeeze(1))
    return torch.cat(out)


model = fit(get_model())
p = predict_proba(model, Xb)
print("accuracy", round(((p > 0.5).float() == yb).float().mean().item(), 4))
