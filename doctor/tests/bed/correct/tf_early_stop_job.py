# expect: nothing
"""Retraining job with early stopping on validation rows; the best checkpoint is read back from disk."""
import logging
import tempfile
from pathlib import Path

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("job")


class EarlyStopping:
    def __init__(self, path: Path, patience: int) -> None:
        self.path, self.patience = path, patience
        self.best, self.bad = float("inf"), 0

    def update(self, score: float, model: nn.Module) -> bool:
        if score < self.best:
            self.best, self.bad = score, 0
            torch.save(model.state_dict(), self.path)
        else:
            self.bad += 1
        return self.bad >= self.patience


def make_model(n_features: int) -> nn.Module:
    return nn.Sequential(nn.Linear(n_features, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Dropout(0.2), nn.Linear(24, 2))


def tensors(scaler: StandardScaler, x, y) -> tuple[Tensor, Tensor]:
    return torch.tensor(scaler.transform(x), dtype=torch.float32), torch.tensor(y)


@torch.no_grad()
def evaluate(model: nn.Module, x: Tensor, y: Tensor) -> tuple[float, float]:
    model.eval()
    logits = model(x)
    return nn.functional.cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()


def main() -> None:
    torch.manual_seed(23)
    x, y = load_breast_cancer(return_X_y=True)
    x_rest, x_te, y_rest, y_te = train_test_split(x, y, test_size=0.2, stratify=y, random_state=23)
    x_tr, x_va, y_tr, y_va = train_test_split(x_rest, y_rest, test_size=0.25, stratify=y_rest, random_state=23)
    scaler = StandardScaler().fit(x_tr)
    train, valid, test = (tensors(scaler, *pair) for pair in ((x_tr, y_tr), (x_va, y_va), (x_te, y_te)))
    loader = DataLoader(TensorDataset(*train), batch_size=32, shuffle=True, drop_last=True)
    model = make_model(x.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=3)
    with tempfile.TemporaryDirectory() as folder:
        stopper = EarlyStopping(Path(folder) / "best.pt", patience=6)
        for epoch in range(30):
            model.train()
            for features, label in loader:
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(model(features), label)
                loss.backward()
                optimizer.step()
            valid_loss, _ = evaluate(model, *valid)
            plateau.step(valid_loss)
            log.info("epoch %d valid loss %.4f", epoch, valid_loss)
            if stopper.update(valid_loss, model):
                break
        serving = make_model(x.shape[1])
        serving.load_state_dict(torch.load(stopper.path, weights_only=True))
    _, accuracy = evaluate(serving, *test)
    print(f"test accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
