# expect: sorted_split @ 15
# mend: 15 →     order = torch.randperm(n, generator=generator)
"""Iris classification with a generic fit()/evaluate() pair and a helper that splits any TensorDataset."""
from typing import Iterable, Tuple

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset, TensorDataset
from sklearn.datasets import load_iris


def split_dataset(ds: TensorDataset, test_fraction: float, generator: torch.Generator) -> Tuple[Subset, Subset]:
    n = len(ds)
    n_test = int(n * test_fraction)
    order = torch.arange(n)
    return Subset(ds, order[:n - n_test].tolist()), Subset(ds, order[n - n_test:].tolist())


class Standardize(nn.Module):
    def __init__(self, reference: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", reference.mean(0))
        self.register_buffer("std", reference.std(0))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std


def fit(model: nn.Module, batches: Iterable, epochs: int, lr: float) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for epoch in range(epochs):
        model.train()
        losses = []
        for xb, yb in batches:
            loss = nn.functional.cross_entropy(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1} loss {sum(losses) / len(losses):.4f}")


@torch.no_grad()
def evaluate(model: nn.Module, batches: Iterable) -> float:
    model.eval()
    hits, seen = 0, 0
    for xb, yb in batches:
        hits += (model(xb).argmax(1) == yb).sum().item()
        seen += len(yb)
    return hits / seen


def main() -> None:
    torch.manual_seed(2)
    x, y = load_iris(return_X_y=True)
    ds = TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
    train, test = split_dataset(ds, 0.3, torch.Generator().manual_seed(2))
    reference = torch.stack([xi for xi, _ in train])
    model = nn.Sequential(Standardize(reference), nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 3))
    fit(model, DataLoader(train, batch_size=16, shuffle=True), epochs=40, lr=1e-2)
    print(f"test accuracy {evaluate(model, DataLoader(test, batch_size=64)):.3f}")


if __name__ == "__main__":
    main()
