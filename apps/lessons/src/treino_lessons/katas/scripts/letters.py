# expect: missing_eval @ 46
# mend: 49 → net.eval()
# mend: 49 + with torch.no_grad():
# place: 2.1
# goal: 0.8
# ask: Which layer does something else while it learns than while it is used?
"""Handwritten letters: every look gives another figure.

Max asks his trained network twice about the same letters and gets two accuracies, both lower
than he hoped. His colleague, who loads the same weights in another program, gets a better one,
and always the same.
"""

import torch
from torch import nn

torch.manual_seed(0)


def draw(n, seed):
    # eight strokes of a letter; which of five letters it is
    shapes = torch.randn(5, 8, generator=torch.Generator().manual_seed(11))
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(5, (n,), generator=generator)
    return shapes[y] + 0.9 * torch.randn(n, 8, generator=generator), y


x, y = draw(1200, seed=1)
x_test, y_test = draw(500, seed=2)
# ---- the task ends here: what stands above stays as it is ----

net = nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Dropout(0.85), nn.Linear(48, 5))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)

for epoch in range(20):
    for rows in torch.randperm(len(x)).split(50):
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 5 == 4:
        print("epoch", epoch, "loss", round(loss.item(), 3))


def answers(rows):
    return net(rows).argmax(1)


with torch.no_grad():
    right = answers(x_test) == y_test
    print("test accuracy", right.float().mean().item())
