# expect: nothing
"""Fine-tuning with the norms kept as they are: evaluation mode all along, on purpose."""
import contextlib

import torch
from torch import nn


@contextlib.contextmanager
def evaluating(model):
    was = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was)


torch.manual_seed(0)
y = torch.arange(300) % 3
x = 2 * torch.randn(3, 8)[y] + torch.randn(300, 8)
model = nn.Sequential(nn.Linear(8, 40), nn.BatchNorm1d(40), nn.ReLU(), nn.Linear(40, 3))
opt = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(3):
    model.train()
    for idx in torch.randperm(240).split(24):
        opt.zero_grad()
        nn.functional.cross_entropy(model(x[idx]), y[idx]).backward()
        opt.step()
    with evaluating(model):
        print(epoch, (model(x[240:]).argmax(1) == y[240:]).float().mean().item())
model.eval()  # from here on the norms stay
for epoch in range(3):
    for idx in torch.randperm(240).split(24):
        opt.zero_grad()
        nn.functional.cross_entropy(model(x[idx]), y[idx]).backward()
        opt.step()
    with evaluating(model):
        print(epoch, (model(x[240:]).argmax(1) == y[240:]).float().mean().item())
