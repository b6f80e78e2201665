# expect: vanishing_gradient @ 37
# allowed: vanishing_gradient @ 15
"""Deep multilayer perceptron from a factory, with the activation chosen by name, on two moons."""
import torch
from sklearn.datasets import make_moons
from sklearn.preprocessing import StandardScaler
from torch import nn

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU}


def mlp(sizes, activation):
    layers = []
    for a, b in zip(sizes[:-2], sizes[1:-1]):
        layers += [nn.Linear(a, b), ACTIVATIONS[activation]()]
    layers.append(nn.Linear(sizes[-2], sizes[-1]))
    net = nn.Sequential(*layers)
    for m in net:
        if isinstance(m, nn.Linear):
            nn.init.xavier_normal_(m.weight)
            nn.init.zeros_(m.bias)
    return net


def batches(x, y, size, generator):
    for idx in torch.randperm(len(x), generator=generator).split(size):
        yield x[idx], y[idx]


def main():
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(1)
    points, labels = make_moons(1200, noise=0.12, random_state=3)
    scaler = StandardScaler().fit(points[:900])
    x = torch.tensor(scaler.transform(points), dtype=torch.float32)
    y = torch.tensor(labels, dtype=torch.float32)
    net = mlp([2] + [32] * 9 + [1], activation="sigmoid")
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(25):
        net.train()
        total = 0.0
        for xb, yb in batches(x[:900], y[:900], 45, generator):
            optimizer.zero_grad()
            loss = criterion(net(xb).squeeze(1), yb)
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 8 == 0:
            first, last = net[0].weight.grad.norm().item(), net[-1].weight.grad.norm().item()
            print(f"epoch {epoch} loss {total / 20:.4f} grad first {first:.2e} last {last:.2e}")
    net.eval()
    with torch.no_grad():
        acc = ((net(x[900:]).squeeze(1) > 0) == (y[900:] > 0.5)).float().mean().item()
    print(f"test accuracy {acc:.3f}")


if __name__ == "__main__":
    main()
