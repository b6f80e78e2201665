# expect: selection_on_test @ 60
# mend: 60 →             val_mse = mse(model, parts["val"])
"""Diabetes regression with a ModelCheckpoint callback that keeps the best weights on disk."""
import os
import tempfile

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


class ModelCheckpoint:
    def __init__(self, path: str) -> None:
        self.path, self.best, self.best_epoch = path, float("inf"), -1

    def __call__(self, model: nn.Module, epoch: int, value: float) -> None:
        if value < self.best:
            self.best, self.best_epoch = value, epoch
            torch.save(model.state_dict(), self.path)

    def restore(self, model: nn.Module) -> None:
        model.load_state_dict(torch.load(self.path, weights_only=True))


@torch.no_grad()
def mse(model: nn.Module, part: TensorDataset) -> float:
    model.eval()
    x, y = part.tensors
    return nn.functional.mse_loss(model(x).squeeze(1), y).item()


def make_parts(seed: int) -> dict[str, TensorDataset]:
    x, y = load_diabetes(return_X_y=True)
    xfit, xtest, yfit, ytest = train_test_split(x, y, test_size=0.2, random_state=seed)
    xtrain, xval, ytrain, yval = train_test_split(xfit, yfit, test_size=0.2, random_state=seed)
    scaler, mu, sd = StandardScaler().fit(xtrain), ytrain.mean(), ytrain.std()
    raw = {"train": (xtrain, ytrain), "val": (xval, yval), "test": (xtest, ytest)}
    return {name: TensorDataset(torch.tensor(scaler.transform(a), dtype=torch.float32),
                                torch.tensor((b - mu) / sd, dtype=torch.float32)) for name, (a, b) in raw.items()}


def main() -> None:
    torch.manual_seed(11)
    parts = make_parts(seed=11)
    loader = DataLoader(parts["train"], batch_size=32, shuffle=True)
    model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = ModelCheckpoint(os.path.join(folder, "best.pt"))
        for epoch in range(40):
            model.train()
            for xb, yb in loader:
                loss = nn.functional.mse_loss(model(xb).squeeze(1), yb)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            val_mse = mse(model, parts["test"])
            checkpoint(model, epoch, val_mse)
            if epoch % 10 == 9:
                print(f"epoch {epoch + 1} val mse {val_mse:.4f} best {checkpoint.best:.4f}")
        checkpoint.restore(model)
    print(f"best epoch {checkpoint.best_epoch + 1}, test mse {mse(model, parts['test']):.4f}")


if __name__ == "__main__":
    main()
