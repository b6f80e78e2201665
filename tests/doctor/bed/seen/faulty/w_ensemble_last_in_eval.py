# expect: missing_eval @ 37
"""Five nets with dropout whose answers are averaged; only the last was set to eval."""
import torch
from torch import nn


def make():
    return nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 3))


def train(net, x, y):
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    for epoch in range(5):
        for i in torch.randperm(len(x)).split(30):
            opt.zero_grad()
            nn.functional.cross_entropy(net(x[i]), y[i]).backward()
            opt.step()
    return net


torch.manual_seed(0)
y = torch.arange(450) % 3
x = 1.5 * torch.randn(3, 8)[y] + torch.randn(450, 8)
nets = [train(make(), x[:300], y[:300]) for _ in range(5)]


# evaluation of the members' mean





for net in nets[-1:]:
    net.eval()
with torch.no_grad():
    votes = torch.stack([net(x[300:]).softmax(1) for net in nets])
    said = votes.mean(0).argmax(1)
print("right", (said == y[300:]).float().mean().item())
