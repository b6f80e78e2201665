# expect: nothing
# mends: labels_one_and_two.py
"""Two classes coded 1 and 2 in the file, given as they are to BCEWithLogitsLoss."""

import torch
from sklearn.datasets import make_blobs
from torch import nn

torch.manual_seed(0)
X, y = make_blobs(400, centers=2, cluster_std=2.0, random_state=4)
X = (X - X.mean(0)) / X.std(0)
code = y + 1  # as in the file: 1 = benign, 2 = malignant
x = torch.tensor(X, dtype=torch.float32)
target = torch.tensor(code - 1, dtype=torch.float32)

model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
criterion = nn.BCEWithLogitsLoss()
opt = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(10):
    for idx in torch.randperm(400).split(50):
        opt.zero_grad()
        loss = criterion(model(x[idx]).squeeze(1), target[idx])
        loss.backward()
        opt.step()
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {loss.item():.4f}")
