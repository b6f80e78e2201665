# expect: nothing
# looks suspicious: inputs in ascending order, no shuffling, and the curve is drawn over the very training
# points: fitting a function on a grid with whole-batch steps; nothing is claimed about new points but the
# ones between.
import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
x = torch.linspace(-np.pi, np.pi, 200).unsqueeze(1)
y = torch.sin(x)


class MLP(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(1, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1)
        )

    def forward(self, inputs):
        return self.layers(inputs)


model = MLP()
criterion = nn.MSELoss(reduction="mean")
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for t in range(300):
    y_pred = model(x)
    loss = criterion(y_pred, y)
    if t % 60 == 59:
        print(t, loss.item())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

model.eval()
with torch.no_grad():
    curve = model(x)
    between = (x[1:] + x[:-1]) / 2
    gap = (model(between) - torch.sin(between)).abs().max()
print(f"largest error on the grid {(curve - y).abs().max():.4f}, between its points {gap:.4f}")
