# expect: nothing
"""A discriminator that steps on real points and then on made ones, each with its own step; labels are filled in."""
import torch
from torch import nn


def judged(net, x, answer, criterion):
    label = torch.empty(len(x), 1).fill_(answer)
    return criterion(net(x), label)


torch.manual_seed(4)
real = torch.randn(320, 2) * 0.3 + torch.tensor([1.5, -0.5])
maker = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 2))
judge = nn.Sequential(nn.Linear(2, 24), nn.LeakyReLU(0.2), nn.Linear(24, 1))
criterion = nn.BCEWithLogitsLoss()
by_maker = torch.optim.Adam(maker.parameters(), lr=2e-3)
by_judge = torch.optim.Adam(judge.parameters(), lr=2e-3)
for epoch in range(15):
    for rows in torch.randperm(320).split(32):
        for points, answer in ((real[rows], 1.0), (maker(torch.randn(32, 4)).detach(), 0.0)):
            by_judge.zero_grad()
            loss = judged(judge, points, answer, criterion)
            loss.backward()
            by_judge.step()
        by_maker.zero_grad()
        fooled = criterion(judge(maker(torch.randn(32, 4))), torch.ones(32, 1))
        fooled.backward()
        by_maker.step()
    print(f"epoch {epoch + 1} judge {loss.item():.3f} maker {fooled.item():.3f}")
print(maker(torch.randn(200, 4)).mean(0).tolist())
