# expect: nothing
# looks suspicious: logits are gathered without gradients and then fed to a loss that runs backward: only the
# temperature is fitted, and the net itself stays in eval mode.
from itertools import pairwise

import torch
from sklearn.datasets import make_classification
from torch import nn, optim
from torch.nn import functional as F

torch.manual_seed(0)
X, y = make_classification(1500, 20, n_informative=6, n_classes=3, flip_y=0.15, random_state=3)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
mean, std = X[:600].mean(0), X[:600].std(0)
X = (X - mean) / std
train, valid, test = slice(0, 600), slice(600, 1000), slice(1000, 1500)


class ModelWithTemperature(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model
        self.temperature = nn.Parameter(torch.ones(1) * 1.5)

    def forward(self, input):
        return self.temperature_scale(self.model(input))

    def temperature_scale(self, logits):
        return logits / self.temperature.unsqueeze(1).expand(logits.size(0), logits.size(1))

    def set_temperature(self, inputs, labels):
        self.eval()
        nll_criterion = nn.CrossEntropyLoss()
        with torch.no_grad():
            logits = self.model(inputs)
        optimizer = optim.LBFGS([self.temperature], lr=0.01, max_iter=50)

        def closure():
            optimizer.zero_grad()
            loss = nll_criterion(self.temperature_scale(logits), labels)
            loss.backward()
            return loss

        optimizer.step(closure)
        print(f"Optimal temperature: {self.temperature.item():.3f}")
        return self


def ece(model, inputs, labels, n_bins=10):
    with torch.no_grad():
        confidences, predictions = F.softmax(model(inputs), dim=1).max(1)
    error, edges = 0.0, torch.linspace(0, 1, n_bins + 1)
    for lower, upper in pairwise(edges):
        inside = (confidences > lower) & (confidences <= upper)
        if inside.any():
            gap = (predictions[inside] == labels[inside]).float().mean() - confidences[inside].mean()
            error += gap.abs().item() * inside.float().mean().item()
    return error


net = nn.Sequential(nn.Linear(20, 96), nn.ReLU(), nn.Dropout(0.1), nn.Linear(96, 3))
opt = optim.Adam(net.parameters(), lr=5e-3)
for _ in range(25):
    net.train()
    for rows in torch.randperm(600).split(60):
        opt.zero_grad()
        loss = F.cross_entropy(net(X[rows]), y[rows])
        loss.backward()
        opt.step()
print(f"trained, loss {loss.item():.4f}")
net.eval()
print(f"test ECE before {ece(net, X[test], y[test]):.4f}")
scaled = ModelWithTemperature(net).set_temperature(X[valid], y[valid])
print(f"test ECE after  {ece(scaled, X[test], y[test]):.4f}")
