# expect: nothing
"""MLP for digits with an init_weights() hook applied by name, as model zoos do it."""
from functools import partial

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class Mlp(nn.Module):
    def __init__(self, dim_in: int, hidden: int, dim_out: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim_in, hidden)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(hidden, hidden)
        self.head = nn.Linear(hidden, dim_out)
        for name, module in self.named_modules():
            self.init_weights(module, name, scale=0.02)

    @staticmethod
    def init_weights(module: nn.Module, name: str = "", scale: float = 0.02) -> None:
        if not isinstance(module, nn.Linear):
            return
        if name.startswith("head"):
            nn.init.trunc_normal_(module.weight, std=scale)
        else:
            nn.init.normal_(module.weight, std=(2.0 / sum(module.weight.shape)) ** 0.5)
        nn.init.zeros_(module.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(self.fc1(x))
        return self.head(self.act(self.fc2(x)))


def build_loaders(batch_size: int) -> tuple[DataLoader, DataLoader]:
    x, y = load_digits(return_X_y=True)
    xtr, xte, ytr, yte = train_test_split(x, y, test_size=0.25, stratify=y, random_state=0)
    mean, std = xtr.mean(), xtr.std()
    make = lambda a, b: TensorDataset(torch.tensor((a - mean) / std, dtype=torch.float32), torch.tensor(b))
    return DataLoader(make(xtr, ytr), batch_size, shuffle=True), DataLoader(make(xte, yte), 512)


def accuracy(model: nn.Module, loader: DataLoader) -> float:
    model.eval()
    hits = 0
    with torch.no_grad():
        for xb, yb in loader:
            hits += (model(xb).argmax(-1) == yb).sum().item()
    return hits / len(loader.dataset)


def main() -> None:
    torch.manual_seed(0)
    train, test = build_loaders(64)
    model = Mlp(64, 48, 10)
    make_optimizer = partial(torch.optim.AdamW, lr=2e-3, weight_decay=0.01)
    optimizer = make_optimizer(model.parameters())
    for epoch in range(10):
        model.train()
        total = 0.0
        for xb, yb in train:
            loss = nn.functional.cross_entropy(model(xb), yb, label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 3 == 0:
            print(f"epoch {epoch} loss {total / len(train):.4f}")
    print(f"test accuracy {accuracy(model, test):.3f}")


if __name__ == "__main__":
    main()
