# expect: nothing
"""Three nets in turn, each split the same way on purpose and each trained two epochs."""
import torch
from sklearn.datasets import load_digits
from torch import nn

digits = load_digits()
x = torch.tensor(digits.data / 16, dtype=torch.float32)
y = torch.tensor(digits.target)


def parts():
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(5))
    return order[:1300], order[1300:]


def run(width):
    torch.manual_seed(width)
    rows, held = parts()
    net = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(2):
        for b in rows[torch.randperm(len(rows))].split(50):
            opt.zero_grad()
            nn.functional.cross_entropy(net(x[b]), y[b]).backward()
            opt.step()
    net.eval()
    with torch.no_grad():
        return (net(x[held]).argmax(1) == y[held]).float().mean().item()


for width in (16, 32, 64, 128):
    print(width, run(width))
