# expect: detached_graph @ 20
"""Digits from features tapped at three depths of a convolutional trunk; the taps are pooled, joined and read by a linear layer."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Taps:
    """Keeps the pooled output of every module that it was hung on, in the order in which they ran."""

    def __init__(self):
        self.kept = []

    def hang_on(self, module):
        return module.register_forward_hook(self._keep)

    def _keep(self, module, inputs, output):
        pooled = nn.functional.adaptive_max_pool2d(output.data, 2)
        self.kept.append(pooled.flatten(1))

    def collect(self):
        joined = torch.cat(self.kept, dim=1)
        self.kept = []
        return joined


def block(c_in, c_out, stride):
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
    )


class TappedNet(nn.Module):
    def __init__(self, widths=(4, 8, 12), classes=10):
        super().__init__()
        self.trunk = nn.Sequential(
            block(1, widths[0], 1), block(widths[0], widths[1], 2), block(widths[1], widths[2], 2))
        self.taps = Taps()
        for stage in self.trunk:
            self.taps.hang_on(stage)
        self.read = nn.Linear(4 * sum(widths), classes)

    def forward(self, x):
        self.trunk(x)
        return self.read(self.taps.collect())


def main():
    torch.manual_seed(23)
    digits = load_digits()
    x = torch.tensor(digits.images / 8.0 - 1.0, dtype=torch.float32).unsqueeze(1)
    y = torch.tensor(digits.target)
    rows_train, rows_test = train_test_split(range(len(y)), test_size=0.3, stratify=y, random_state=23)
    x_train, y_train, x_test, y_test = x[rows_train], y[rows_train], x[rows_test], y[rows_test]
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True, drop_last=True)

    net = TappedNet()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(6):
        net.train()
        total = 0.0
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = criterion(net(xb), yb)
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(f"epoch {epoch + 1} loss {total / len(loader):.4f}")

    net.eval()
    with torch.no_grad():
        accuracy = (net(x_test).argmax(dim=1) == y_test).float().mean().item()
    print(f"test accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
