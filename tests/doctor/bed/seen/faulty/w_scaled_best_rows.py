# expect: metric_wrong_axis @ 27
"""Ten classes, batches of ten, and a temperature."""
import torch
from torch import nn

torch.manual_seed(0)
y = torch.arange(1000) % 10
x = 1.5 * torch.randn(10, 16)[y] + torch.randn(1000, 16)
net = nn.Sequential(nn.Linear(16, 48), nn.ReLU(), nn.Linear(48, 10))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(6):
    for i in torch.randperm(800).split(10):
        opt.zero_grad()
        nn.functional.cross_entropy(net(x[i]), y[i]).backward()
        opt.step()


def score(net, temperature=1.7):
    net.eval()
    right = 0
    with torch.no_grad():
        for i in torch.arange(800, 1000).split(10):
            logits = net(x[i]) / temperature
            # the best
            # of each
            # row
            said = logits.argmax(0)
            right += (said == y[i]).sum().item()
    return right / 200


print(score(net))
