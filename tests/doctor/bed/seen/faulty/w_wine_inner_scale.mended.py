# expect: nothing
"""Wine cultivars with a net that carries its own scaling along, so that it can be handed raw measurements."""
import io

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split


class Standardise(nn.Module):
    """Fixed shift and stretch per column, saved with the weights."""

    def __init__(self, columns):
        super().__init__()
        self.register_buffer("shift", torch.zeros(columns))
        self.register_buffer("stretch", torch.ones(columns))

    def fit(self, x):
        self.shift.copy_(x.mean(dim=0))
        self.stretch.copy_(x.std(dim=0))
        return self

    def forward(self, x):
        return (x - self.shift) / self.stretch


class WineNet(nn.Module):
    def __init__(self, columns=13, classes=3):
        super().__init__()
        self.scale = Standardise(columns)
        self.body = nn.Sequential(nn.Linear(columns, 20), nn.ReLU(), nn.Linear(20, classes))

    def forward(self, x):
        return self.body(self.scale(x))


def split(seed):
    x, y = load_wine(return_X_y=True)
    parts = train_test_split(torch.tensor(x, dtype=torch.float32), torch.tensor(y),
                             test_size=0.4, stratify=y, random_state=seed)
    return TensorDataset(parts[0], parts[2]), TensorDataset(parts[1], parts[3])


def fit(net, data, epochs=30):
    loader = DataLoader(data, batch_size=16, shuffle=True)
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    net.train()
    for epoch in range(epochs):
        total = 0.0
        for x, y in loader:
            loss = nn.functional.cross_entropy(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {total / len(data):.4f}")


def reload(net):
    store = io.BytesIO()
    torch.save(net.state_dict(), store)
    store.seek(0)
    fresh = WineNet()
    fresh.load_state_dict(torch.load(store))
    return fresh.eval()


def main():
    torch.manual_seed(16)
    train, test = split(seed=16)
    net = WineNet()
    net.scale.fit(train.tensors[0])
    fit(net, train)
    served = reload(net)
    with torch.no_grad():
        x, y = test.tensors
        print(f"test accuracy {(served(x).argmax(dim=1) == y).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
