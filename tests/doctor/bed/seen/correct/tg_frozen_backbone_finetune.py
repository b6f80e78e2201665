# expect: nothing
"""Pretrain a backbone on digits 0-4, freeze it in eval mode, and fit a new head for digits 5-9."""
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class Classifier(nn.Module):
    def __init__(self, backbone: nn.Module, width: int, classes: int, freeze: bool) -> None:
        super().__init__()
        self.backbone, self.head, self.freeze = backbone, nn.Linear(width, classes), freeze
        if freeze:
            self.backbone.requires_grad_(False)

    def train(self, mode: bool = True) -> "Classifier":
        super().train(mode)
        if self.freeze:
            self.backbone.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        features = self.backbone(x)
        return self.head(features.detach() if self.freeze else features)


def fit(model: Classifier, ds: TensorDataset, epochs: int, lr: float) -> None:
    optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=lr)
    loader = DataLoader(ds, batch_size=32, shuffle=True, drop_last=True)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for x, y in loader:
            loss = nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
    print(f"final training loss {total / len(loader):.4f}")


@torch.no_grad()
def accuracy(model: Classifier, ds: TensorDataset) -> float:
    model.eval()
    x, y = ds.tensors
    return (model(x).argmax(1) == y).float().mean().item()


def parts(x, y, low: int, high: int) -> list[TensorDataset]:
    keep = (y >= low) & (y <= high)
    xtr, xte, ytr, yte = train_test_split(x[keep], y[keep] - low, test_size=0.25, stratify=y[keep], random_state=0)
    return [TensorDataset(torch.tensor(a / 16.0, dtype=torch.float32), torch.tensor(b)) for a, b in ((xtr, ytr), (xte, yte))]


def main() -> None:
    torch.manual_seed(0)
    x, y = load_digits(return_X_y=True)
    source_train, source_test = parts(x, y, 0, 4)
    target_train, target_test = parts(x, y, 5, 9)
    backbone = nn.Sequential(nn.Linear(64, 96), nn.BatchNorm1d(96), nn.ReLU())
    source = Classifier(backbone, 96, 5, freeze=False)
    fit(source, source_train, epochs=8, lr=2e-3)
    print(f"source test accuracy {accuracy(source, source_test):.3f}")
    target = Classifier(backbone, 96, 5, freeze=True)
    fit(target, target_train, epochs=15, lr=5e-3)
    print(f"target test accuracy {accuracy(target, target_test):.3f}")


if __name__ == "__main__":
    main()
