# expect: uninitialised_tensor @ 21
# allowed: lr_too_low
# allowed: lr_too_high
# allowed: non_finite_loss
# mend: 21 +         nn.init.zeros_(self.offset)
"""A linear layer of one's own, with an offset for each class, on three clouds of points."""
import torch
from torch import nn

torch.manual_seed(6)
labels = torch.arange(300) % 3
points = torch.randn(300, 5) + labels[:, None]
order = torch.randperm(300)
points, labels = points[order], labels[order]


class Scores(nn.Module):
    def __init__(self, inputs, classes):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, classes) / inputs**0.5)
        self.offset = nn.Parameter(torch.empty(classes))
        self.classes = classes

    def forward(self, rows):
        return rows @ self.weight + self.offset


model = Scores(5, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for step in range(40):
    rows = torch.randperm(240)[:60]
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(points[rows]), labels[rows])
    loss.backward()
    optimizer.step()
with torch.no_grad():
    print((model(points[240:]).argmax(1) == labels[240:]).float().mean().item() >= 0)
