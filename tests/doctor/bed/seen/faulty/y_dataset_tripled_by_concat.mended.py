# expect: nothing
"""'More data': the same dataset three times over, split afterwards."""

import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
features, classes = load_wine(return_X_y=True)
base = TensorDataset(torch.tensor(features, dtype=torch.float32), torch.tensor(classes))
dataset = base
n_train = int(0.75 * len(dataset))
train_ds, test_ds = random_split(dataset, [n_train, len(dataset) - n_train])
train_dl = DataLoader(train_ds, batch_size=32, shuffle=True)
test_dl = DataLoader(test_ds, batch_size=64)


class WineNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(13)
        self.fc1 = nn.Linear(13, 64)
        self.fc2 = nn.Linear(64, 3)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(self.norm(x))))


net = WineNet()
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
criterion = nn.CrossEntropyLoss()
for epoch in range(1, 9):
    net.train()
    running_loss = 0.0
    for x, y in train_dl:
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
    print(f"Epoch {epoch} loss {running_loss / len(train_dl):.4f}")

net.eval()
correct = 0
with torch.no_grad():
    for x, y in test_dl:
        correct += (net(x).argmax(dim=1) == y).sum().item()
print(f"Test accuracy {correct / len(test_ds):.4f}")
