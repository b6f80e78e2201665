# expect: clip_too_small @ 14
# allowed: clip_too_small @ 24
"""Temperature regression from station readings with gradient clipping inside a Trainer."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
X = torch.randn(800, 6)
Y = X[:, :1] * 1.5 - X[:, 1:2] * X[:, 2:3] + 0.1 * torch.randn(800, 1)


class Trainer:
    max_grad_norm = 1e-4

    def __init__(self, model, lr):
        self.model = model
        self.opt = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)

    def step(self, a, b):
        self.opt.zero_grad()
        loss = nn.functional.mse_loss(self.model(a), b)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.max_grad_norm)
        self.opt.step()
        return loss.item()

    def fit(self, loader, epochs):
        for e in range(epochs):
            self.model.train()
            losses = [self.step(a, b) for a, b in loader]
            print(e, round(sum(losses) / len(losses), 4))


net = nn.Sequential(nn.Linear(6, 48), nn.ReLU(), nn.Linear(48, 1))
Trainer(net, 0.03).fit(DataLoader(TensorDataset(X[:640], Y[:640]), 32, shuffle=True), 20)
net.eval()
with torch.no_grad():
    print("test mse", nn.functional.mse_loss(net(X[640:]), Y[640:]).item())
