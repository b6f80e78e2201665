# expect: metric_wrong_axis @ 14
"""Top-k accuracy whose topk runs over the batch."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target)


def topk_accuracy(output, target, k=3):
    _, pred = output.topk(k, 0)
    return sum((pred[:, int(t)] == i).any().item() for i, t in enumerate(target)) / len(target)


net = nn.Linear(64, 10)
opt = torch.optim.SGD(net.parameters(), lr=0.5)
for epoch in range(3):
    for rows in torch.randperm(len(x)).split(100):
        out = net(x[rows])
        loss = nn.functional.cross_entropy(out, y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, topk_accuracy(out.detach(), y[rows]))
