# expect: detached_loss @ 36
# allowed: detached_loss @ 35
# mend: 33 →         total_loss = torch.zeros(1)
# mend: 35 →             total_loss = total_loss + criterion(net(crop), targets)
"""The loss of several crops is added up and then sent backward."""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(2)
X, y = load_digits(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X / 16.0, y, test_size=0.2, random_state=0)
train = TensorDataset(torch.tensor(Xa, dtype=torch.float32).view(-1, 1, 8, 8), torch.tensor(ya))
test = TensorDataset(torch.tensor(Xb, dtype=torch.float32).view(-1, 1, 8, 8), torch.tensor(yb))
loader = DataLoader(train, batch_size=64, shuffle=True)

net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(72, 10))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)


def crops(images):
    yield images[:, :, :7, :7]
    yield images[:, :, 1:, 1:]


for epoch in range(3):
    for images, targets in loader:
        optimizer.zero_grad()
        total_loss = torch.zeros(1, requires_grad=True)
        for crop in crops(images):
            total_loss = total_loss + criterion(net(crop), targets).item()
        total_loss.sum().backward()
        optimizer.step()
    print("epoch", epoch, "loss", round(total_loss.item(), 4))

net.eval()
correct = 0
with torch.no_grad():
    for images, targets in DataLoader(test, batch_size=120):
        correct += (net(images).argmax(1) == targets).sum().item()
print("accuracy", correct / len(test))
