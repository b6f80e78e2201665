# expect: sigmoid_before_bce_with_logits @ 33
# expect: threshold_on_logits @ 47
# mend: 33 → net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
# mend: 47 →     return (net(rows).squeeze(1) > 0).long()
# place: 3.4
# goal: 0.8
# ask: What does the loss do first with the numbers that it is given, as its name says?
# ask: Which output of the network means an even chance?
"""Spam: hardly ever caught, and then too little.

Three letters of ten are spam. Lars's network takes next to nothing for spam, and learns very
slowly. He mends one line, it learns at once, and still lets spam through that it should know.
"""

import torch
from torch import nn

torch.manual_seed(0)


def draw(n, seed):
    # counts of ten words in a letter; 1: spam
    generator = torch.Generator().manual_seed(seed)
    spam = (torch.rand(n, generator=generator) < 0.3).long()
    often = torch.linspace(0.5, 3.0, 10) * (1 + spam[:, None] * torch.linspace(1.2, -0.6, 10))
    return torch.poisson(often, generator=generator) - 1.5, spam


x, y = draw(800, seed=1)
x_test, y_test = draw(500, seed=2)
# ---- the task ends here: what stands above stays as it is ----

net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1), nn.Sigmoid())
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
criterion = nn.BCEWithLogitsLoss()

for epoch in range(8):
    for rows in torch.randperm(len(x)).split(40):
        loss = criterion(net(x[rows]).squeeze(1), y[rows].float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("epoch", epoch, "loss", round(loss.item(), 3))


def answers(rows):
    return (net(rows).squeeze(1) > 0.5).long()


with torch.no_grad():
    print("test accuracy", (answers(x_test) == y_test).float().mean().item())
