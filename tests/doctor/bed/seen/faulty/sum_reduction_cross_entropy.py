# expect: exploding_sum_loss @ 15
# allowed: lr_too_high @ 16
"""Cross-entropy summed over a batch of 256 with a rate that was chosen for means."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)
loader = DataLoader(TensorDataset(X, y), batch_size=256, shuffle=True)
net = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 10))
criterion = nn.CrossEntropyLoss(reduction="sum")
optimizer = torch.optim.SGD(net.parameters(), lr=0.3)
for epoch in range(8):
    total, hits = 0.0, 0
    for xb, yb in loader:
        out = net(xb)
        loss = criterion(out, yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
        hits += (out.argmax(1) == yb).sum().item()
    print(f"epoch {epoch} loss {total:.2f} accuracy {hits / len(X):.3f}")
