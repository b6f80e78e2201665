# expect: vanishing_gradient @ 27
# allowed: vanishing_gradient @ 33
# allowed: vanishing_gradient @ 46
"""Forum question: a deep MLP on sklearn digits with a configurable activation."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
digits = load_digits()
X = torch.tensor(digits.data / 16.0, dtype=torch.float32)
y = torch.tensor(digits.target)
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.25, random_state=0, stratify=y)
train_loader = DataLoader(TensorDataset(Xtr, ytr), batch_size=64, shuffle=True, drop_last=True)
test_loader = DataLoader(TensorDataset(Xte, yte), batch_size=256)


class DeepNet(nn.Module):
    def __init__(self, in_dim, hidden, depth, classes):
        super().__init__()
        layers = []
        size = in_dim
        for _ in range(depth):
            layers.append(nn.Linear(size, hidden))
            layers.append(nn.Sigmoid())
            size = hidden
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(size, classes)

    def forward(self, x):
        return self.head(self.body(x))


def accuracy(net, loader):
    net.eval()
    hits = n = 0
    with torch.no_grad():
        for xb, yb in loader:
            hits += (net(xb).argmax(1) == yb).sum().item()
            n += len(yb)
    return hits / n


net = DeepNet(64, 48, depth=8, classes=10)
loss_fn = nn.CrossEntropyLoss()
opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
for epoch in range(10):
    net.train()
    running = 0.0
    for xb, yb in train_loader:
        opt.zero_grad()
        loss = loss_fn(net(xb), yb)
        loss.backward()
        opt.step()
        running += loss.item()
    print(epoch, round(running / len(train_loader), 4))
print("test accuracy:", round(accuracy(net, test_loader), 3))
