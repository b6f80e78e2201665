# expect: params_not_in_optimizer @ 13
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(3)


class TwoTasks(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk, self.a, self.b = nn.Linear(5, 20), nn.Linear(20, 1), nn.Linear(20, 2)
        self.log_vars = torch.zeros(2, requires_grad=True)

    def forward(self, x):
        h = torch.tanh(self.trunk(x))
        return self.a(h).squeeze(1), self.b(h)


net = TwoTasks()
opt = torch.optim.AdamW(net.parameters(), lr=3e-3)
x = torch.randn(300, 5)
y1, y2 = x.sum(1), (x[:, 0] > 0).long()
for epoch in range(40):
    p1, p2 = net(x)
    l1, l2 = F.mse_loss(p1, y1), F.cross_entropy(p2, y2)
    s = net.log_vars
    loss = torch.exp(-s[0]) * l1 + s[0] + torch.exp(-s[1]) * l2 + s[1]
    opt.zero_grad()
    loss.backward()
    opt.step()
print(loss.item())
