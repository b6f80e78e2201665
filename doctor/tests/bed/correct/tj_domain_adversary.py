# expect: nothing
"""Features that don't tell three domains apart: each domain's batch has its own number as its label."""
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(6)
tables = [torch.randn(200, 5) + shift for shift in (0.0, 1.0, -1.0)]
targets = [(t[:, 0] - t[:, 1] > 0).long() for t in tables]
body, head, domain = nn.Linear(5, 16), nn.Linear(16, 2), nn.Linear(16, 3)
main = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)
second = torch.optim.SGD(domain.parameters(), lr=0.1)


def domain_loss(features, number):
    return F.cross_entropy(domain(features), torch.full((len(features),), number))


for epoch in range(12):
    for rows in torch.randperm(200).split(25):
        features = [torch.relu(body(t[rows])) for t in tables]
        told = sum(domain_loss(f.detach(), k) for k, f in enumerate(features)) / 3
        second.zero_grad()
        told.backward()
        second.step()
        loss = sum(F.cross_entropy(head(f), y[rows]) for f, y in zip(features, targets, strict=True)) / 3
        loss = loss - 0.1 * sum(domain_loss(f, k) for k, f in enumerate(features)) / 3
        main.zero_grad()
        loss.backward()
        main.step()
    print(f"epoch {epoch + 1} loss {loss.item():.3f} domains {told.item():.3f}")
