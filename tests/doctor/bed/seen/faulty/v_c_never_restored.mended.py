# expect: nothing
"""Digits conv net with dropout and batch norm, evaluated every epoch by a function that takes a loader."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(120)
d = load_digits()
ds = TensorDataset(torch.tensor(d.images / 16, dtype=torch.float32)[:, None], torch.tensor(d.target))
tr, te = random_split(ds, [1400, 397])
train_loader, test_loader = DataLoader(tr, batch_size=50, shuffle=True), DataLoader(te, batch_size=100)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16)
        self.c2, self.b2 = nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16)
        self.drop = nn.Dropout(0.3)
        self.fc = nn.Linear(16 * 4, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.b1(self.c1(x))), 2)
        x = F.max_pool2d(F.relu(self.b2(self.c2(x))), 2)
        return self.fc(self.drop(x.flatten(1)))


def evaluate(net, loader):
    net.eval()
    good = 0
    with torch.no_grad():
        for x, y in loader:
            good += (net(x).argmax(1) == y).sum().item()
    return good / len(loader.dataset)


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(6):
    net.train()
    running = 0.0
    for x, y in train_loader:
        opt.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
        running += loss.item()
    print(f"epoch {epoch} loss {running / len(train_loader):.3f} test acc {evaluate(net, test_loader):.3f}")
