# expect: nothing
"""Digit recognition with mini-batches of ten and a hand-written accuracy function."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

X, y = load_digits(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X / 16, y, test_size=360, random_state=0, stratify=y)
mk = lambda a, b, **kw: DataLoader(TensorDataset(torch.tensor(a).float(), torch.tensor(b)), batch_size=10, **kw)
train_loader, test_loader = mk(Xtr, ytr, shuffle=True), mk(Xte, yte)


def accuracy(output, labels):
    predicted = torch.max(output, 1)[1]
    return (predicted == labels).sum().item() / len(labels)


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(64, 50), nn.ReLU(), nn.Linear(50, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(6):
    model.train()
    for data, labels in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(data), labels)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        accs = [accuracy(model(d), l) for d, l in test_loader]
    print(f"Epoch {epoch + 1}: loss {loss.item():.4f}, accuracy {sum(accs) / len(accs):.3f}")
