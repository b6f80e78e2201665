# expect: scaler_leakage @ 17
"""Texture patches (made up, high dimensional): pixel selection, then a small net."""
import numpy as np
import torch
from torch import nn
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
rng = np.random.default_rng(0)
labels = np.repeat([0, 1], 100)
patches = rng.normal(size=(200, 32, 32)).astype("float32")
patches[labels == 1, 10:12, 10:12] += 0.4
flat = patches.reshape(200, -1)

selector = SelectKBest(f_classif, k=40)
flat = selector.fit_transform(flat, labels)
x_tr, x_te, y_tr, y_te = train_test_split(
    flat, labels, test_size=0.4, stratify=labels, random_state=0)
x_tr, x_te = torch.tensor(x_tr), torch.tensor(x_te)
y_tr, y_te = torch.tensor(y_tr), torch.tensor(y_te)

net = nn.Sequential(nn.Linear(40, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=3e-3, weight_decay=1e-3)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(20):
    net.train()
    total = 0.0
    for idx in torch.randperm(len(x_tr)).split(20):
        loss = loss_fn(net(x_tr[idx]), y_tr[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}: train loss {total / len(x_tr):.4f}")

net.eval()
with torch.no_grad():
    acc = (net(x_te).argmax(1) == y_te).float().mean().item()
print(f"test accuracy: {acc:.3f}")
