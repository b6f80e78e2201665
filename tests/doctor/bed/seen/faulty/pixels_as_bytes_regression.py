# expect: unscaled_inputs @ 15
"""House table in metres, dollars and counts goes in as it is; loss written by hand."""

import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
rng = np.random.default_rng(0)
rooms = rng.integers(1, 8, 400)
area = rng.normal(120, 40, 400)
income = rng.normal(48000, 15000, 400)
age = rng.random(400)
value = 0.3 * rooms + 0.02 * area + income / 30000 - age
data = torch.tensor(np.stack([rooms, area, income, age], 1), dtype=torch.float32)
target = torch.tensor(value, dtype=torch.float32).unsqueeze(1)
target = (target - target.mean()) / target.std()

model = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
mse = nn.MSELoss()
for epoch in range(30):
    for rows in torch.randperm(400).split(40):
        prediction = model(data[rows])
        loss = mse(prediction, target[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 10 == 9:
        print(epoch + 1, loss.item())
