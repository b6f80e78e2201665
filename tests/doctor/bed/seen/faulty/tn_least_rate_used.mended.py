import torch
from torch import nn
from dataclasses import dataclass

@dataclass
class Settings:
    learning_rate: float = 0.1
    min_lr: float = 1e-6
    steps: int = 150

cfg = Settings()
torch.manual_seed(0)
x = torch.randn(400, 6)
y = (x[:, 0] + x[:, 1] > 0).long()
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))

opt = torch.optim.SGD(net.parameters(), lr=cfg.learning_rate, momentum=0.9)
for step in range(cfg.steps):
    rows = torch.randint(0, 400, (32,))
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
    loss.backward()
    opt.step()
print(loss.item())
