# expect: nothing
# mends: log_softmax_over_the_batch.py
"""Digits, log_softmax along the wrong axis."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
loader = DataLoader(
    TensorDataset(torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)), batch_size=90, shuffle=True
)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        return F.log_softmax(self.fc2(x), dim=1)


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
for epoch in range(4):
    running_loss = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = F.nll_loss(net(xb), yb)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
    print(f"epoch {epoch} loss {running_loss / len(loader):.4f}")
