# expect: dead_relu @ 23
# allowed: dead_relu @ 13
# allowed: dead_relu @ 53
"""DeepSets network counting distinct large elements of a set; custom initialisation via apply()."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class DeepSet(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(1, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.rho = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, sets):
        return self.rho(self.phi(sets.unsqueeze(-1)).mean(1)).squeeze(-1)


def init_weights(module):
    if isinstance(module, nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.constant_(module.bias, -8.0)


def sets(n, size=10):
    x = torch.rand(n, size) * 2 - 1
    y = (x > 0.4).float().sum(1) - x.pow(2).sum(1)
    return x, (y - y.mean()) / y.std()


def fit(model, loader, epochs):
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    history = []
    for _ in range(epochs):
        model.train()
        total = 0.0
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item()
        history.append(total / len(loader))
    return history


def main():
    torch.manual_seed(12)
    x_train, y_train = sets(1500)
    x_test, y_test = sets(400)
    model = DeepSet()
    model.apply(init_weights)
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=50, shuffle=True)
    history = fit(model, loader, epochs=20)
    model.eval()
    with torch.no_grad():
        mse = nn.functional.mse_loss(model(x_test), y_test).item()
        active = (model.phi(x_test.unsqueeze(-1)) > 0).float().mean().item()
    print(f"loss first {history[0]:.4f} last {history[-1]:.4f}")
    print(f"test mse {mse:.4f} active units {active:.3f}")


if __name__ == "__main__":
    main()
