# expect: nothing
# looks suspicious: every row is tested and then trained on, once, in the order of arrival, one batch after
# the other without epochs: prequential evaluation of a stream with drift.
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(5, 24), nn.ReLU(), nn.Linear(24, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.2)
w0, w1 = torch.randn(5), torch.randn(5)


def stream(batches, size=20):
    for i in range(batches):
        x = torch.randn(size, 5)
        w = w0 + (w1 - w0) * (i / batches)
        yield x, (x @ w > 0).long()


right = seen = 0
for i, (x, y) in enumerate(stream(250)):
    net.eval()
    with torch.no_grad():
        right += (net(x).argmax(1) == y).sum().item()
        seen += len(y)
    net.train()
    loss = nn.functional.cross_entropy(net(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if i % 50 == 49:
        print(f"after {seen} rows: accuracy before training on them {right / seen:.4f}")
