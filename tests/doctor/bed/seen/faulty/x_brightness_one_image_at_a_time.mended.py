# expect: nothing
"""How bright is a small noisy picture? A convolutional net fed one picture at a time."""

import torch
from torch import nn

torch.manual_seed(0)
level = torch.rand(240)
pictures = level[:, None, None, None] + 0.05 * torch.randn(240, 1, 6, 6)
target = level[:, None] * 2 - 1

model = nn.Sequential(
    nn.Conv2d(1, 8, 3),
    nn.BatchNorm2d(8),
    nn.ReLU(),
    nn.Conv2d(8, 8, 3),
    nn.BatchNorm2d(8),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(8, 1),
)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
loss_fn = nn.MSELoss()

for epoch in range(5):
    model.train()
    total = 0.0
    for rows in torch.randperm(200).split(20):
        image, brightness = pictures[rows], target[rows]
        optimizer.zero_grad()
        loss = loss_fn(model(image), brightness)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(image)
    model.eval()
    with torch.no_grad():
        test_loss = loss_fn(model(pictures[200:]), target[200:]).item()
    print(f"epoch {epoch} train {total / 200:.4f} test {test_loss:.4f}")
