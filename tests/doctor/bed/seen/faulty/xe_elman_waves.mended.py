# expect: nothing
"""Hand-written Elman cell: follow a hidden two-phase signal and name its class."""
import math

import torch
from torch import nn

torch.manual_seed(8)


def waves(n, steps=20):
    kind = torch.randint(0, 3, (n,))
    t = torch.arange(steps).float().repeat(n, 1)
    phase = torch.rand(n, 1) * 2 * math.pi
    speed = torch.tensor([0.35, 0.7, 1.2])[kind].unsqueeze(1)
    x = torch.sin(speed * t + phase) + 0.15 * torch.randn(n, steps)
    return x.unsqueeze(-1), kind


class Elman(nn.Module):
    def __init__(self, n_in, n_hidden, n_out):
        super().__init__()
        self.n_hidden = n_hidden
        self.w_in = nn.Parameter(torch.empty(n_hidden, n_in))
        self.w_rec = nn.Parameter(torch.empty(n_hidden, n_hidden))
        self.b = nn.Parameter(torch.empty(n_hidden))
        self.w_out = nn.Parameter(torch.empty(n_out, n_hidden))
        self.b_out = nn.Parameter(torch.empty(n_out))
        self.reset_parameters()

    def reset_parameters(self):
        k = 1.0 / math.sqrt(self.n_hidden)
        for p in self.parameters():
            nn.init.uniform_(p, -k, k)

    def forward(self, x):
        h = x.new_zeros(x.size(0), self.n_hidden)
        for step in x.unbind(1):
            h = torch.tanh(step @ self.w_in.T + h @ self.w_rec.T + self.b)
        return h @ self.w_out.T + self.b_out


def accuracy(net, x, y):
    net.eval()
    with torch.no_grad():
        return (net(x).argmax(1) == y).float().mean().item()


x_train, y_train = waves(1500)
x_test, y_test = waves(500)
net = Elman(1, 24, 3)
opt = torch.optim.Adam(net.parameters(), lr=4e-3)

for epoch in range(1, 13):
    net.train()
    running = 0.0
    for idx in torch.randperm(len(x_train)).split(50):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x_train[idx]), y_train[idx])
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        running += loss.item() * len(idx)
    if epoch % 3 == 0:
        print(epoch, "loss", round(running / len(x_train), 4))
print("train acc", round(accuracy(net, x_train, y_train), 3))
print("test acc ", round(accuracy(net, x_test, y_test), 3))
