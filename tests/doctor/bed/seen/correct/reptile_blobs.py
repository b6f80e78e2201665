# expect: nothing
# looks suspicious: the meta model is in no optimizer and is moved by hand towards a copy that a throw-away
# optimizer trained (Reptile).
import copy

import torch
from torch import nn

torch.manual_seed(0)
meta_model = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2))
loss_fn = nn.CrossEntropyLoss()


def sample_task():
    direction = nn.functional.normalize(torch.randn(2), dim=0)

    def draw(n):
        x = torch.randn(n, 2)
        return x, (x @ direction > 0).long()

    return draw


def adapt(model, draw, steps):
    learner = copy.deepcopy(model)
    opt = torch.optim.SGD(learner.parameters(), lr=0.5)
    for _ in range(steps):
        x, y = draw(20)
        opt.zero_grad()
        loss = loss_fn(learner(x), y)
        loss.backward()
        opt.step()
    return learner, loss.item()


for outer in range(40):
    learner, loss = adapt(meta_model, sample_task(), steps=5)
    with torch.no_grad():
        for p, q in zip(meta_model.parameters(), learner.parameters(), strict=True):
            p += 0.2 * (q - p)
    if outer % 10 == 0:
        print(f"outer {outer:2d} inner loss {loss:.4f}")

draw = sample_task()
learner, loss = adapt(meta_model, draw, steps=10)
with torch.no_grad():
    x, y = draw(500)
    print(f"new task accuracy {(learner(x).argmax(1) == y).float().mean().item():.3f}")
