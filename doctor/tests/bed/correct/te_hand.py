# expect: nothing
# looks suspicious: plain tensors of a module: one is trained by hand, the gradients of the other are scores
import torch
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 16), nn.Linear(16, 1)
        self.scale = torch.ones(16, requires_grad=True)
        self.mask = torch.ones(16, requires_grad=True)

    def forward(self, x):
        return self.head(torch.relu(self.body(x)) * self.scale * self.mask).squeeze(1)


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
x = torch.randn(200, 4)
y = x[:, 0] - x[:, 1] * x[:, 2]
importance = torch.zeros(16)
for step in range(60):
    opt.zero_grad()
    loss = ((net(x) - y) ** 2).mean()
    loss.backward()
    opt.step()
    with torch.no_grad():
        net.scale -= 1e-2 * net.scale.grad
    net.scale.grad = None
    importance += net.mask.grad.abs()
    net.mask.grad = None
print(loss.item(), importance)
