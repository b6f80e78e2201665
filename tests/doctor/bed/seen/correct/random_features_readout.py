# expect: nothing
# looks suspicious: the first layer has requires_grad parameters, never moves and is in no optimizer: random
# features are drawn once and only the readout is fitted.
import torch
from torch import nn

torch.manual_seed(0)


class RandomFeatureRegressor(nn.Module):
    def __init__(self, inputs, features, gamma):
        super().__init__()
        self.random = nn.Linear(inputs, features)
        nn.init.normal_(self.random.weight, std=gamma)
        nn.init.uniform_(self.random.bias, 0, 6.2832)
        self.readout = nn.Linear(features, 1)

    def forward(self, x):
        return self.readout((2 / self.random.out_features) ** 0.5 * torch.cos(self.random(x))).squeeze(-1)


x = torch.rand(700, 2) * 4 - 2
y = torch.sin(2 * x[:, 0]) * torch.cos(x[:, 1]) + 0.05 * torch.randn(700)
model = RandomFeatureRegressor(2, 200, 1.5)
optimizer = torch.optim.Adam(model.readout.parameters(), lr=0.05)

for epoch in range(15):
    running = 0.0
    for rows in torch.randperm(600).split(50):
        loss = (model(x[rows]) - y[rows]).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item() / 12
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} mse {running:.4f}")

with torch.no_grad():
    print("test mse", (model(x[600:]) - y[600:]).pow(2).mean().item())
