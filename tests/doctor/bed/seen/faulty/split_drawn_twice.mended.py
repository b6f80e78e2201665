# expect: nothing
# mends: split_drawn_twice.py
"""random_split is called once for the training part and again for the test part."""

import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
X = torch.log1p(torch.tensor(X, dtype=torch.float32))
dataset = TensorDataset(X, torch.tensor(y))
sizes = [449, 120]
train_set, test_set = random_split(dataset, sizes)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(30)
        self.fc = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, x):
        return self.fc(self.norm(x))


model = Model()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(4):
    model.train()
    for x, t in DataLoader(train_set, batch_size=32, shuffle=True, drop_last=True):
        loss = nn.functional.cross_entropy(model(x), t)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.inference_mode():
        good = sum((model(x).argmax(1) == t).sum().item() for x, t in DataLoader(test_set, batch_size=60))
    print(f"epoch {epoch} loss {loss.item():.4f} test accuracy {good / len(test_set):.3f}")
