"""Five kinds of shapes, one after the other."""
import torch
from torch import nn

settings = {
    "seed": 1,
    "rows": 120,
    "shuffled": True,
    "batch": 20,
    "epochs": 5,
}


def rows_of(kinds, per):
    centres = torch.randn(kinds, 8) * 1.5
    x = torch.cat([c + torch.randn(per, 8) for c in centres])
    return x, torch.arange(kinds).repeat_interleave(per)


torch.manual_seed(settings["seed"])
x, y = rows_of(5, settings["rows"])
net = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 5))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)

for epoch in range(settings["epochs"]):

    if settings.get("shuffled"):
        order = torch.randperm(len(x))
    else:
        order = torch.arange(len(x))


    total = 0.0


    for start in range(0, len(x), settings["batch"]):
        rows = order[start:start + settings["batch"]]
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(epoch, total)
print((net(x).argmax(1) == y).float().mean().item())
