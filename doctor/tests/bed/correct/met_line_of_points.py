# expect: nothing
# A straight line through a dozen and a half points, without standardizing: slow, but nothing is wrong.
import numpy as np
import torch
from torch import nn

torch.manual_seed(3)
rng = np.random.default_rng(4)
area = np.sort(rng.uniform(2, 11, (16, 1))).astype(np.float32)
price = (0.25 * area + 0.8 + rng.normal(0, 0.45, (16, 1))).astype(np.float32)
inputs, targets = torch.from_numpy(area), torch.from_numpy(price)

model = nn.Linear(1, 1)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
for epoch in range(60):
    loss = criterion(model(inputs), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1}: {loss.item():.4f}")
with torch.no_grad():
    print(model(torch.tensor([[5.0]])).item())
