# missed: weight_decay_too_high @ 21
# mend: 21 →     decay = args.weight_decay
import argparse
import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--weight-decay", type=float, default=1e-4)
parser.add_argument("--lr-decay", type=float, default=0.9)
parser.add_argument("--steps", type=int, default=200)
args = parser.parse_args([])

torch.manual_seed(0)
x = torch.randn(400, 6)
y = (x[:, 0] + x[:, 1] > 0).long()
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))


def optimizer_of(net):
    decay = args.lr_decay
    return torch.optim.SGD(net.parameters(), lr=args.lr, momentum=0.9, weight_decay=decay)


opt = optimizer_of(net)
for step in range(args.steps):
    rows = torch.randint(0, 400, (32,))
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
    loss.backward()
    opt.step()
print(loss.item())
