# expect: metric_wrong_axis @ 33
"""Accuracy over axis 0; ten classes and batches of ten hide it."""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, test_size=300, random_state=0, stratify=y)
train_ds = TensorDataset(torch.tensor(X_train, dtype=torch.float32), torch.tensor(y_train))
test_ds = TensorDataset(torch.tensor(X_test, dtype=torch.float32), torch.tensor(y_test))
train_loader = DataLoader(train_ds, batch_size=50, shuffle=True)
test_loader = DataLoader(test_ds, batch_size=10)

net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
criterion = nn.CrossEntropyLoss()
for epoch in range(4):
    net.train()
    for xb, yb in train_loader:
        opt.zero_grad()
        loss = criterion(net(xb), yb)
        loss.backward()
        opt.step()
    net.eval()
    correct = 0
    with torch.no_grad():
        for xb, yb in test_loader:
            outputs = net(xb)
            predicted = torch.argmax(outputs, dim=0)
            correct += (predicted == yb).sum().item()
    print(f"epoch {epoch} loss {loss.item():.4f} test accuracy {correct / len(test_ds):.3f}")
