# expect: graph_kept_alive @ 25
"""The epoch's loss is summed as a tensor."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
loader = DataLoader(
    TensorDataset(torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)), batch_size=32, shuffle=True
)
net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)

for epoch in range(3):
    total_loss = 0
    for xb, yb in loader:
        loss = criterion(net(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total_loss += loss
    print(f"epoch {epoch} loss {total_loss / len(loader):.4f}")
