# expect: scheduler_misuse @ 18
"""One cycle, its length counted in rows."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(640, 7)
y = (x[:, 0] * x[:, 1] > 0).float()
train = TensorDataset(x, y)
loader = DataLoader(train, batch_size=32, shuffle=True)
net = nn.Sequential(nn.Linear(7, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
epochs = 9


cycle = torch.optim.lr_scheduler.OneCycleLR(
    opt, max_lr=0.2, epochs=epochs, steps_per_epoch=len(train)
)
for epoch in range(epochs):
    for xb, yb in loader:
        loss = nn.functional.binary_cross_entropy_with_logits(net(xb).squeeze(1), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        cycle.step()
    print(epoch, loss.item(), cycle.get_last_lr()[0])
