# expect: nothing
# looks suspicious: first states that need a gradient for nothing, as old examples have them
import torch
from torch import nn

torch.manual_seed(0)


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(4, 12, batch_first=True)
        self.cell = nn.GRUCell(12, 12)
        self.out = nn.Linear(12, 2)
        self.h0 = torch.zeros(1, 1, 12, requires_grad=True)
        self.c0 = torch.zeros(1, 1, 12, requires_grad=True)

    def forward(self, x):
        n = len(x)
        h, _ = self.rnn(x, (self.h0.expand(1, n, 12).contiguous(), self.c0.expand(1, n, 12).contiguous()))
        return self.out(self.cell(h[:, -1], self.h0[0].expand(n, 12)))


net = Reader()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
x = torch.randn(200, 6, 4)
y = (x.sum((1, 2)) > 0).long()
for step in range(40):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    opt.step()
print(loss.item())
