# expect: nothing
"""House prices from a made-up register; small batches with gradient accumulation and bfloat16 autocast on the CPU."""
import argparse

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


def make_register(n, seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "area": rng.gamma(9.0, 12.0, n),
        "rooms": rng.integers(1, 8, n),
        "age": rng.uniform(0, 90, n),
        "distance": rng.exponential(6.0, n),
        "floor": rng.integers(0, 9, n),
    })
    price = 3.1 * frame["area"] + 14 * np.sqrt(frame["rooms"]) - 0.9 * frame["age"]
    price += 120 * np.exp(-frame["distance"] / 5) + rng.normal(0, 12, n)
    frame["price"] = price
    return frame


class Register(Dataset):
    columns = ["area", "rooms", "age", "distance", "floor"]

    def __init__(self, frame, mean, std):
        scaled = (frame - mean) / std
        self.x = torch.tensor(scaled[self.columns].values, dtype=torch.float32)
        self.y = torch.tensor(scaled["price"].values, dtype=torch.float32)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


def train_epoch(model, loader, optimizer, accum):
    model.train()
    optimizer.zero_grad()
    running = 0.0
    for i, (x, y) in enumerate(loader):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = model(x).squeeze(1)
        loss = nn.functional.smooth_l1_loss(out.float(), y)
        (loss / accum).backward()
        if (i + 1) % accum == 0:
            optimizer.step()
            optimizer.zero_grad()
        running += loss.item()
    return running / len(loader)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--accum", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--lr", type=float, default=1e-2)
    args = parser.parse_args()

    torch.manual_seed(3)
    frame = make_register(args.rows, seed=3).sample(frac=1.0, random_state=3)
    cut = int(0.8 * len(frame))
    train, test = frame.iloc[:cut], frame.iloc[cut:]
    mean, std = train.mean(), train.std()
    train_loader = DataLoader(Register(train, mean, std), batch_size=args.batch_size, shuffle=True)
    test_set = Register(test, mean, std)

    model = nn.Sequential(nn.Linear(5, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=1e-3)
    for epoch in range(1, args.epochs + 1):
        loss = train_epoch(model, train_loader, optimizer, args.accum)
        if epoch % 10 == 0:
            print(f"epoch {epoch:3d} | loss {loss:.4f}")

    model.eval()
    with torch.no_grad():
        error = (model(test_set.x).squeeze(1) - test_set.y).abs().mean() * std["price"]
    print(f"mean absolute error {error:.1f} thousand; spread of prices {std['price']:.1f} thousand")


if __name__ == "__main__":
    main()
