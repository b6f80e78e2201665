# expect: nothing
# mends: z_onecycle_sized_in_epochs.py
"""OneCycleLR planned for all batches and stepped once per epoch."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(9)
x = torch.randn(640, 10)
y = (x[:, :3].prod(1) > 0).long()
loader = DataLoader(TensorDataset(x[:512], y[:512]), batch_size=32, shuffle=True)
net = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
EPOCHS = 8
scheduler = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, max_lr=1e-2, epochs=EPOCHS, steps_per_epoch=len(loader)
)
for epoch in range(EPOCHS):
    net.train()
    for xb, yb in loader:
        loss = nn.functional.cross_entropy(net(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    net.eval()
    with torch.no_grad():
        acc = (net(x[512:]).argmax(1) == y[512:]).float().mean().item()
    print(epoch, f"{loss.item():.4f} {acc:.3f} {scheduler.get_last_lr()[0]:.5f}")
