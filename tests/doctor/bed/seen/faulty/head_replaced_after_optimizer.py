# expect: params_not_in_optimizer @ 23
"""Fine-tuning: a net from another task gets a new head."""

import torch
from sklearn.datasets import load_digits
from torch import nn


class Backbone(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(4)
        self.fc = nn.Linear(128, classes)

    def forward(self, x):
        return self.fc(self.pool(torch.relu(self.conv(x))).flatten(1))


torch.manual_seed(0)
model = Backbone(classes=100)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
model.fc = nn.Linear(128, 10)
criterion = nn.CrossEntropyLoss()

d = load_digits()
x = torch.tensor(d.images / 16, dtype=torch.float32)[:, None]
y = torch.tensor(d.target)
for epoch in range(2):
    correct = 0
    for idx in torch.randperm(len(x)).split(100):
        optimizer.zero_grad()
        out = model(x[idx])
        loss = criterion(out, y[idx])
        loss.backward()
        optimizer.step()
        correct += (out.argmax(1) == y[idx]).sum().item()
    print(f"epoch {epoch} loss {loss.item():.3f} accuracy {correct / len(x):.3f}")
