# expect: nothing
"""Disease progression after one year from ten baseline variables, with a small configurable network."""
from dataclasses import dataclass

import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    hidden: int = 24
    lr: float = 5e-3
    weight_decay: float = 1e-4
    epochs: int = 30
    batch_size: int = 32
    seed: int = 11


def load(cfg):
    X, y = load_diabetes(return_X_y=True)
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.25, random_state=cfg.seed)
    scaler = StandardScaler().fit(X_tr)
    mean, std = y_tr.mean(), y_tr.std()
    train = TensorDataset(
        torch.tensor(scaler.transform(X_tr), dtype=torch.float32),
        torch.tensor((y_tr - mean) / std, dtype=torch.float32),
    )
    X_te = torch.tensor(scaler.transform(X_te), dtype=torch.float32)
    return train, X_te, torch.tensor(y_te, dtype=torch.float32), mean, std


def build(cfg):
    return nn.Sequential(
        nn.Linear(10, cfg.hidden), nn.Tanh(),
        nn.Linear(cfg.hidden, 1),
    )


def train(model, data, cfg):
    loader = DataLoader(data, batch_size=cfg.batch_size, shuffle=True, drop_last=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=cfg.lr, weight_decay=cfg.weight_decay)
    criterion = nn.MSELoss()
    model.train()
    for epoch in range(cfg.epochs):
        running = 0.0
        for xb, yb in loader:
            optimizer.zero_grad()
            pred = model(xb)
            loss = criterion(pred, yb.unsqueeze(1))
            loss.backward()
            optimizer.step()
            running += loss.item()
        if (epoch + 1) % 10 == 0:
            print(f"epoch {epoch + 1:3d}  loss {running / len(loader):.4f}")


def main():
    cfg = Config()
    torch.manual_seed(cfg.seed)
    data, X_te, y_te, mean, std = load(cfg)
    model = build(cfg)
    train(model, data, cfg)
    model.eval()
    with torch.no_grad():
        pred = model(X_te).squeeze(1) * std + mean
    rmse = (pred - y_te).pow(2).mean().sqrt().item()
    r2 = 1 - ((pred - y_te) ** 2).sum() / ((y_te - y_te.mean()) ** 2).sum()
    print(f"test RMSE {rmse:.1f}  R2 {r2.item():.3f}")


if __name__ == "__main__":
    main()
