# expect: scaler_leakage @ 31
# mend: 31 → mean, spread = x[train].mean(0), x[train].std(0)
# place: 2.5
# goal: 0.7
# ask: Of which rows are the mean and the spread that the columns are scaled by?
"""Blood samples: the reviewer says no.

Forty patients to learn from, four hundred to test with. A reviewer writes: your network knew
something of the test patients before it was tested. Amira finds no line where it was trained
on them, and there is none.
"""

import torch
from torch import nn

torch.manual_seed(0)


def draw(n, seed):
    # four values of a blood sample, in their own units; 1: ill
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(n, 4, generator=generator)
    ill = z[:, 0] - z[:, 1] + 0.5 * torch.randn(n, generator=generator) > 0
    return z * torch.tensor([9.0, 0.4, 30.0, 2.0]) + torch.tensor([140.0, 4.0, 250.0, 7.0]), ill.long()


x, y = draw(440, seed=1)
# ---- the task ends here: what stands above stays as it is ----

train, test = torch.randperm(len(x)).split([40, 400])
mean, spread = x.mean(0), x.std(0)
scaled = (x - mean) / spread
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)

for epoch in range(40):
    for rows in train[torch.randperm(len(train))].split(10):
        loss = nn.functional.cross_entropy(net(scaled[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 10 == 9:
        print("epoch", epoch, "loss", round(loss.item(), 3))


def answers(rows):
    return net((rows - mean) / spread).argmax(1)


with torch.no_grad():
    right = net(scaled[test]).argmax(1) == y[test]
    print("test accuracy", right.float().mean().item())
