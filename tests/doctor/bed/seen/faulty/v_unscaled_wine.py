# expect: unscaled_inputs @ 15
# allowed: unscaled_inputs @ 32
# allowed: unscaled_inputs @ 41
"""Wine cultivars classified from thirteen raw chemical measurements."""
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def prepare(seed=0):
    X, y = load_wine(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=seed, stratify=y)
    train = TensorDataset(torch.tensor(X_train, dtype=torch.float32), torch.tensor(y_train))
    test = TensorDataset(torch.tensor(X_test, dtype=torch.float32), torch.tensor(y_test))
    return train, test


class WineNet(nn.Module):
    def __init__(self, n_features=13, hidden=24, classes=3):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_features, hidden), nn.Tanh(), nn.Linear(hidden, classes))

    def forward(self, x):
        return self.body(x)


def run():
    torch.manual_seed(0)
    train, test = prepare()
    loader = DataLoader(train, batch_size=16, shuffle=True)
    net = WineNet()
    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    ce = nn.CrossEntropyLoss()
    for epoch in range(30):
        net.train()
        total = 0.0
        for x, y in loader:
            opt.zero_grad()
            loss = ce(net(x), y)
            loss.backward()
            opt.step()
            total += loss.item()
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1} loss {total / len(loader):.3f}")
    net.eval()
    with torch.no_grad():
        x, y = test.tensors
        print(f"test accuracy {(net(x).argmax(1) == y).float().mean():.3f}")


run()
