# expect: softmax_wrong_dim @ 23
"""Attention pooling over time, one weight too many across the batch."""

import torch
from torch import nn

torch.manual_seed(17)
N, T, D = 500, 9, 8
signal = torch.randn(N, T, D)
where = torch.randint(0, T, (N,))
labels = torch.randint(0, 3, (N,))
signal[torch.arange(N), where, 0] += 4.0
signal[torch.arange(N), where, 1 + labels] += 3.0


class AttentionPool(nn.Module):
    def __init__(self):
        super().__init__()
        self.score = nn.Sequential(nn.Linear(D, 16), nn.Tanh(), nn.Linear(16, 1))
        self.fc = nn.Linear(D, 3)

    def forward(self, x):  # x: batch, time, features
        weights = torch.softmax(self.score(x), dim=0)
        context = (weights * x).sum(dim=1)
        return self.fc(context)


def accuracy(net, x, y):
    net.eval()
    with torch.no_grad():
        return (net(x).argmax(1) == y).float().mean().item()


net = AttentionPool()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
criterion = nn.CrossEntropyLoss()
for _epoch in range(8):
    net.train()
    for rows in torch.randperm(400).split(25):
        loss = criterion(net(signal[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
print("train", accuracy(net, signal[:400], labels[:400]))
print("test", accuracy(net, signal[400:], labels[400:]))
