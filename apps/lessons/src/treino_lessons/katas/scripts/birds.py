# expect: best_state_not_copied @ 53
# mend: 53 →         highest, best = figure, {k: v.clone() for k, v in net.state_dict().items()}
# place: 3.2
# goal: 0.27
# ask: Where do the numbers of the best epoch lie while the next epochs train?
"""Songs of birds: the best epoch was kept, and is gone.

Tom keeps the weights of the epoch that validation likes best, and takes them at the end. The
best epoch explained nearly a third; what he takes out again is as bad as the last one was.
"""

import torch
from torch import nn

torch.manual_seed(0)


def draw(n, seed):
    # thirty figures of a song; how old the bird is, as a tired listener guessed
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 30, generator=generator)
    age = 1.5 * x[:, 0] + 0.7 * x[:, 1] * x[:, 2] + 1.5 * torch.randn(n, generator=generator)
    return x, age[:, None]


x, y = draw(150, seed=1)
x_valid, y_valid = draw(1000, seed=2)
x_test, y_test = draw(1500, seed=3)
# ---- the task ends here: what stands above stays as it is ----

net = nn.Sequential(nn.Linear(30, 256), nn.ReLU(), nn.Linear(256, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)


def answers(rows):
    return net(rows)


def r2(rows, ages):
    return 1 - ((answers(rows) - ages) ** 2).mean().item() / ages.var().item()


highest = -100.0
for epoch in range(80):
    for rows in torch.randperm(len(x)).split(20):
        loss = nn.functional.mse_loss(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        figure = r2(x_valid, y_valid)
    if figure > highest:
        highest, best = figure, net.state_dict()
print("best validation R2", highest)

net.load_state_dict(best)
with torch.no_grad():
    print("test R2", r2(x_test, y_test))
