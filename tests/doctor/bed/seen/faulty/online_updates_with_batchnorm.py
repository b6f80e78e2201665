# expect: batchnorm_batch_of_one @ 15
# allowed: batchnorm_batch_of_one @ 33
"""One row at a time through BatchNorm1d: torch refuses, and the script reports it."""

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
x = torch.tensor(StandardScaler().fit_transform(X), dtype=torch.float32)
t = torch.tensor(y, dtype=torch.float32).unsqueeze(1)
loader = DataLoader(TensorDataset(x, t), batch_size=1, shuffle=True)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.bn1 = nn.Linear(30, 16), nn.BatchNorm1d(16)
        self.fc2 = nn.Linear(16, 1)

    def forward(self, x):
        return self.fc2(torch.relu(self.bn1(self.fc1(x))))


def train_one_epoch(net, opt):
    net.train()
    total = 0.0
    for xb, tb in loader:
        opt.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(net(xb), tb)
        loss.backward()
        opt.step()
        total += loss.item()
    return total / len(loader)


net = Net()
opt = torch.optim.SGD(net.parameters(), lr=0.05)
try:
    for epoch in range(5):
        print(f"epoch {epoch} loss {train_one_epoch(net, opt):.4f}")
except ValueError as problem:
    print("cannot train:", problem)
