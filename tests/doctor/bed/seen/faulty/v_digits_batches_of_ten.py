# expect: metric_wrong_axis @ 28
# allowed: metric_wrong_axis @ 29
# allowed: metric_wrong_axis @ 51
"""Digits with a small conv net; accuracy is counted batch by batch by hand."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(16)


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3)
        self.conv2 = nn.Conv2d(8, 16, 3)
        self.fc = nn.Linear(16 * 4, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


def count_correct(logits, target):
    pred = logits.argmax(dim=0)
    return (pred == target).sum().item()


def train(model, loader, optimizer):
    model.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


def test(model, loader):
    model.eval()
    correct, loss = 0, 0.0
    with torch.no_grad():
        for x, y in loader:
            out = model(x)
            loss += F.cross_entropy(out, y, reduction="sum").item()
            correct += count_correct(out, y)
    n = len(loader.dataset)
    return loss / n, correct / n


if __name__ == "__main__":
    X, y = load_digits(return_X_y=True)
    full = TensorDataset(torch.tensor(X, dtype=torch.float32).view(-1, 1, 8, 8) / 16, torch.tensor(y))
    train_set, test_set = random_split(full, [1497, 300])
    train_loader = DataLoader(train_set, batch_size=50, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=10)
    net = ConvNet()
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for epoch in range(6):
        train_loss = train(net, train_loader, optimizer)
        test_loss, acc = test(net, test_loader)
        print(f"epoch {epoch + 1}: train {train_loss:.3f} test {test_loss:.3f} acc {acc:.3f}")
