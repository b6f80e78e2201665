# expect: nothing
"""How bright is a small noisy picture? A convolutional net fed one picture at a time."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
level = torch.rand(240)
pictures = level[:, None, None, None] + 0.05 * torch.randn(240, 1, 6, 6)
train_set = TensorDataset(pictures[:200], level[:200, None] * 2 - 1)
test_x, test_y = pictures[200:], level[200:, None] * 2 - 1
loader = DataLoader(train_set, batch_size=20, shuffle=True)

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
    for image, target in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(image), target)
        loss.backward()
        optimizer.step()
        total += loss.item()
    model.eval()
    with torch.no_grad():
        test_loss = loss_fn(model(test_x), test_y).item()
    print(f"epoch {epoch} train {total / len(loader):.4f} test {test_loss:.4f}")
