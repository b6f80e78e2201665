# expect: detached_graph @ 26
"""Multi-task: a shared trunk, and a second head fed with a freshly made tensor."""

import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(0)
wine = load_wine()
x = torch.tensor((wine.data - wine.data.mean(0)) / wine.data.std(0), dtype=torch.float32)
cls = torch.tensor(wine.target)
alcohol, x = x[:, :1].clone(), x[:, 1:]


class MultiTask(nn.Module):
    def __init__(self):
        super().__init__()
        self.class_trunk = nn.Sequential(nn.Linear(12, 16), nn.ReLU())
        self.value_trunk = nn.Sequential(nn.Linear(12, 16), nn.ReLU())
        self.class_head = nn.Linear(16, 3)
        self.value_head = nn.Linear(16, 1)

    def forward(self, x):
        a = self.class_trunk(x)
        b = self.value_trunk(x)
        b = torch.tensor(b.tolist())
        return self.class_head(a), self.value_head(b)


net = MultiTask()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(40):
    logits, value = net(x)
    loss_c = nn.functional.cross_entropy(logits, cls)
    loss_v = nn.functional.mse_loss(value, alcohol)
    opt.zero_grad()
    (loss_c + 0.5 * loss_v).backward()
    opt.step()
    if epoch % 10 == 0:
        print(f"{epoch:2d} class {loss_c.item():.3f} alcohol {loss_v.item():.3f}")
