# expect: train_mode_never_restored @ 35
# mend: 39 +     net.train()
# place: 3.5
# goal: 0.7
# ask: In which mode is the network when the second epoch begins?
"""Stations on the radio: reproducible, said the report.

So that every run is the same, Ana sets the seed. She also remembers eval before each validation.
Since then dropout does nothing for her network.
"""

import torch
from torch import nn

torch.manual_seed(0)


def draw(n, seed):
    # twenty figures of a sound; speech, music or noise, as a listener wrote it down
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 20, generator=generator)
    sound = x[:, 0] + x[:, 1] - x[:, 2] + 0.5 * torch.randn(n, generator=generator)
    return x, (sound > 0.7).long() + 2 * (sound < -0.7).long()


x, y = draw(200, seed=1)
x_test, y_test = draw(500, seed=2)
# ---- the task ends here: what stands above stays as it is ----

net = nn.Sequential(nn.Linear(20, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.003)


def answers(rows):
    net.eval()
    return net(rows).argmax(1)


for epoch in range(60):
    for rows in torch.randperm(len(x)).split(20):
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        accuracy = (answers(x_test) == y_test).float().mean().item()
    if epoch % 20 == 19:
        print("epoch", epoch, "test accuracy", round(accuracy, 3))
