# expect: nothing
# mends: one_cycle_per_epoch.py
"""OneCycleLR was planned in batches and is stepped once per epoch: the rate never leaves its warm-up."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
ds = TensorDataset(torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y))
loader = DataLoader(ds, batch_size=64, shuffle=True)
model = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
opt = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
epochs = 5
sched = OneCycleLR(opt, max_lr=0.5, epochs=epochs, steps_per_epoch=len(loader))
for epoch in range(epochs):
    for xb, yb in loader:
        loss = F.cross_entropy(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
    print(f"epoch {epoch} lr {opt.param_groups[0]['lr']:.5f} loss {loss.item():.4f}")
