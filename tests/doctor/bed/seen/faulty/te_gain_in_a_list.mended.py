import torch
from torch import nn

torch.manual_seed(1)


class Gated(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, width), nn.ReLU())
        self.gain = nn.ParameterList([nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))])
        self.out = nn.Linear(width, 1)

    def forward(self, x):
        h = self.body(x) * self.gain[0] + self.gain[1]
        return self.out(h).squeeze(1)


model = Gated(24)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
x = torch.randn(400, 6)
target = x[:, 0] * x[:, 1] + 0.1 * torch.randn(400)
for epoch in range(10):
    for i in range(0, 400, 40):
        loss = nn.functional.mse_loss(model(x[i : i + 40]), target[i : i + 40])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
