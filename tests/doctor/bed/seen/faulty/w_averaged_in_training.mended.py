# expect: nothing
"""Weights averaged over the last epochs; the averaged model gives the figure."""
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, TensorDataset


def data(n, seed):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 6, generator=g)
    return x, (x[:, 0] * 2 + x[:, 1] + 0.2 * torch.randn(n, generator=g)).unsqueeze(1)


def fit(model, loader, epochs):
    averaged = AveragedModel(model)
    opt = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
    for epoch in range(epochs):
        model.train()
        for x, y in loader:
            opt.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            opt.step()
        if epoch >= epochs // 2:
            averaged.update_parameters(model)
    return averaged


def report(model, loader):
    with torch.no_grad():
        total = sum(nn.functional.mse_loss(model(x), y, reduction="sum").item() for x, y in loader)
    return total / len(loader.dataset)


torch.manual_seed(0)
train = DataLoader(TensorDataset(*data(400, 1)), batch_size=32, shuffle=True)
test = DataLoader(TensorDataset(*data(200, 2)), batch_size=50)
net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 1))
swa = fit(net, train, 10)
net.eval()
print("last", report(net, test))
swa.eval()
print("averaged", report(swa, test))
