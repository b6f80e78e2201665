# expect: nothing
"""Digits as a flat table, small mini-batches; accuracy by a small metrics function."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(160)
d = load_digits()
X, y = torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=300, random_state=160, stratify=y)
BATCH = 10


def count_correct(logits, target):
    _, predicted = torch.max(logits.data, 1)
    return (predicted == target).sum().item()


def batches(X, y, shuffle):
    order = torch.randperm(len(X)) if shuffle else torch.arange(len(X))
    for i in range(0, len(X) - BATCH + 1, BATCH):
        j = order[i:i + BATCH]
        yield X[j], y[j]


net = nn.Sequential(nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 10))
loss_fn = nn.CrossEntropyLoss()
opt = torch.optim.SGD(net.parameters(), lr=0.1)

for epoch in range(10):
    net.train()
    running = 0.0
    for xb, yb in batches(X_tr, y_tr, True):
        opt.zero_grad()
        loss = loss_fn(net(xb), yb)
        loss.backward()
        opt.step()
        running += loss.item() * len(xb)
    if epoch % 3 == 0:
        print(f"epoch {epoch}: loss {running / len(X_tr):.4f}")

net.eval()
correct = total = 0
with torch.no_grad():
    for xb, yb in batches(X_te, y_te, False):
        correct += count_correct(net(xb), yb)
        total += len(yb)
print(f"Accuracy of the network on {total} test images: {100 * correct / total:.1f} %")
