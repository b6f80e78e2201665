# needs: lightning
# expect: missing_eval @ 38
"""A loop with Fabric whose validation leaves dropout and batch norm in training mode."""

import lightning as L
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

L.seed_everything(2, verbose=False)
X, y = load_wine(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)


def rows(a, b, **options):
    data = TensorDataset(torch.tensor(a, dtype=torch.float32), torch.tensor(b))
    return DataLoader(data, batch_size=24, **options)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(13)
        self.hidden = nn.Linear(13, 32)
        self.drop = nn.Dropout(0.4)
        self.out = nn.Linear(32, 3)

    def forward(self, x):
        return self.out(self.drop(torch.relu(self.hidden(self.norm(x)))))


def validate(model, loader):
    right = 0
    with torch.no_grad():
        for a, b in loader:
            right += (model(a).argmax(1) == b).sum().item()
    return right / len(loader.dataset)


fabric = L.Fabric(accelerator="cpu")
net = Net()
model, optimizer = fabric.setup(net, torch.optim.Adam(net.parameters(), lr=0.01))
train, val = fabric.setup_dataloaders(rows(X_train, y_train, shuffle=True), rows(X_val, y_val))
criterion = nn.CrossEntropyLoss()
for epoch in range(6):
    for a, b in train:
        optimizer.zero_grad()
        loss = criterion(model(a), b)
        fabric.backward(loss)
        optimizer.step()
    fabric.print(f"epoch {epoch} loss {loss.item():.4f} accuracy {validate(model, val):.3f}")
