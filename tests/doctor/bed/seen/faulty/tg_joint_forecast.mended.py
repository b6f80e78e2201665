# expect: nothing
"""One-step forecaster for a robot's joint angle: GRU, SGD with momentum, hyperparameters from argparse."""
import argparse

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--window", type=int, default=16)
parser.add_argument("--lr", type=float, default=0.05)
parser.add_argument("--max-norm", type=float, default=1.0)
parser.add_argument("--epochs", type=int, default=20)
args = parser.parse_args([])

torch.manual_seed(6)
t = torch.arange(1200) * 0.2
angle = torch.sin(t) + 0.5 * torch.sin(2.3 * t) + 0.05 * torch.randn(1200)
cut = 950
angle = (angle - angle[:cut].mean()) / angle[:cut].std()


def windows(series, w):
    frames = series.unfold(0, w + 1, 1)
    return frames[:, :w].unsqueeze(-1), frames[:, w]


class Forecaster(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.rnn = nn.GRU(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.out(self.rnn(x)[0][:, -1]).squeeze(-1)


x_tr, y_tr = windows(angle[:cut], args.window)
x_te, y_te = windows(angle[cut:], args.window)
net, mse = Forecaster(), nn.MSELoss()
opt = torch.optim.SGD(net.parameters(), lr=args.lr, momentum=0.9)
for epoch in range(args.epochs):
    net.train()
    total = 0.0
    for idx in torch.randperm(len(x_tr)).split(32):
        opt.zero_grad()
        loss = mse(net(x_tr[idx]), y_tr[idx])
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), args.max_norm)
        opt.step()
        total += loss.item() * len(idx)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}: train mse {total / len(x_tr):.4f}")
net.eval()
with torch.no_grad():
    print(f"test mse {mse(net(x_te), y_te):.4f}")
