# expect: unscaled_inputs @ 24
# mend: 31 → scaled = (x - x.mean(0)) / x.std(0)
# mend: 46 →     return net((rows - x.mean(0)) / x.std(0)).argmax(1)
# place: 2.7
# goal: 0.8
# ask: How large are the numbers of each column?
"""Rivers before a flood: one column shouts, the others whisper.

Five gauges, each in its own unit. Ravi's network says the same of every river, and a smaller
rate only makes it say so more slowly. His teacher gets nine of ten right from the same rows.
"""

import torch
from torch import nn

torch.manual_seed(0)


def draw(n, seed):
    # flow, rain, warmth, slope, height; 1: a flood
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(n, 5, generator=generator)
    flood = z[:, 1] + z[:, 2] * z[:, 3] + 0.2 * torch.randn(n, generator=generator) > 0
    return z * torch.tensor([90000.0, 3.0, 8.0, 0.02, 400.0]), flood.long()


x, y = draw(1000, seed=1)
x_test, y_test = draw(500, seed=2)
# ---- the task ends here: what stands above stays as it is ----

scaled = x
net = nn.Sequential(nn.Linear(5, 64), nn.ReLU(), nn.Linear(64, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=0.003)

for epoch in range(40):
    for rows in torch.randperm(len(x)).split(50):
        loss = nn.functional.cross_entropy(net(scaled[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 10 == 9:
        print("epoch", epoch, "loss", round(loss.item(), 3))


def answers(rows):
    return net(rows).argmax(1)


with torch.no_grad():
    print("test accuracy", (answers(x_test) == y_test).float().mean().item())
