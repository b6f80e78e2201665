# expect: nothing
"""Pretrains a recurrent classifier on one task and then finetunes it on another."""
import torch
from torch import nn

torch.manual_seed(11)


def make_task(n, offset):
    t = torch.linspace(0, 6.28, 24)
    y = torch.randint(0, 3, (n,))
    freq = 1.0 + 1.5 * y.float() + offset
    phase = torch.rand(n, 1)
    x = torch.sin(freq[:, None] * t + phase) + 0.15 * torch.randn(n, 24)
    return x.unsqueeze(-1), y


class SeqNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(1, 24, batch_first=True)
        self.out = nn.Linear(24, 3)

    def forward(self, x):
        h, _ = self.rnn(x)
        return self.out(h[:, -1])


def batches(x, y, size):
    for idx in torch.randperm(len(x)).split(size):
        yield x[idx], y[idx]


def pretrain(model, x, y, epochs):
    opt = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(epochs):
        for xb, yb in batches(x, y, 50):
            opt.zero_grad()
            nn.functional.cross_entropy(model(xb), yb).backward()
            opt.step()


def finetune(model, x, y, epochs):
    opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(epochs):
        running = 0.0
        for xb, yb in batches(x, y, 50):
            loss = nn.functional.cross_entropy(model(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
            running += loss.item()
        print(f"finetune {epoch} loss {running / (len(x) / 50):.4f}")


def accuracy(model, x, y):
    model.eval()
    with torch.no_grad():
        acc = (model(x).argmax(1) == y).float().mean().item()
    model.train()
    return acc


xa, ya = make_task(1000, 0.0)
xb_, yb_ = make_task(800, 0.4)
xt, yt = make_task(400, 0.4)
net = SeqNet()
pretrain(net, xa, ya, 8)
print("before finetuning", round(accuracy(net, xt, yt), 3))
finetune(net, xb_, yb_, 8)
print("after finetuning", round(accuracy(net, xt, yt), 3))
