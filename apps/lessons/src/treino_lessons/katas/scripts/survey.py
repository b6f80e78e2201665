# expect: sorted_split @ 29
# mend: 29 → train, test = torch.randperm(len(x)).split([800, 400])
# place: 2.3
# goal: 0.75
# ask: In which order do the rows lie in the table before it is cut?
"""A survey of four towns: nine of ten right in training, one of four in the test.

The answers were collected town by town. Zoe keeps the last third for the test. She has tried
smaller networks and dropout, since so large a gap can only be overfitting, they say.
"""

import torch
from torch import nn

torch.manual_seed(0)


def draw(n, seed):
    # five answers of a person, and the town; the interviewers went from town to town
    centres = 1.5 * torch.randn(4, 5, generator=torch.Generator().manual_seed(3))
    generator = torch.Generator().manual_seed(seed)
    town = torch.arange(n) * 4 // n
    return centres[town] + 0.8 * torch.randn(n, 5, generator=generator), town


x, y = draw(1200, seed=1)
# ---- the task ends here: what stands above stays as it is ----

train, test = torch.arange(len(x)).split([800, 400])
net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 4))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)

for epoch in range(15):
    for rows in train[torch.randperm(len(train))].split(50):
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 5 == 4:
        print("epoch", epoch, "loss", round(loss.item(), 3))


def answers(rows):
    return net(rows).argmax(1)


with torch.no_grad():
    print("train accuracy", (answers(x[train]) == y[train]).float().mean().item())
    print("test accuracy", (answers(x[test]) == y[test]).float().mean().item())
