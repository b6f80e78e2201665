# expect: nothing
"""Will a loan default? A made-up bank table, the defaults drawn again until they are as many as the rest."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from sklearn.model_selection import train_test_split

NUMBERS = ["income", "debt", "age", "years_here", "cards", "late_bills", "savings", "rooms"]


def bank(rows=1400, seed=61):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "income": rng.lognormal(10.3, 0.5, rows), "debt": rng.gamma(2.0, 4000, rows),
        "age": rng.integers(19, 75, rows), "years_here": rng.gamma(1.5, 4, rows),
        "cards": rng.poisson(2, rows), "late_bills": rng.poisson(0.8, rows),
        "savings": rng.gamma(1.0, 9000, rows), "rooms": rng.integers(1, 7, rows),
    })
    risk = frame["debt"] / 6000 - np.log(frame["income"]) + 0.5 * frame["late_bills"] + rng.normal(0, 0.8, rows)
    frame["default"] = (risk > np.quantile(risk, 0.85)).astype(int)
    return frame


def even_out(frame, seed):
    common, rare = frame[frame["default"] == 0], frame[frame["default"] == 1]
    drawn = rare.sample(len(common), replace=True, random_state=seed)
    return pd.concat([common, drawn]).sample(frac=1.0, random_state=seed)


def to_tensors(frame, centre, spread):
    x = ((np.log1p(frame[NUMBERS]) - centre) / spread).to_numpy(np.float32)
    return torch.from_numpy(x), torch.from_numpy(frame["default"].to_numpy(np.float32))


def balanced_accuracy(net, x, y):
    net.eval()
    with torch.no_grad():
        guess = net(x).squeeze(1) > 0
    hit = [(guess[y == c] == bool(c)).float().mean().item() for c in (0, 1)]
    return sum(hit) / 2


def learn(x, y, epochs=30):
    net = nn.Sequential(nn.Linear(len(NUMBERS), 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(epochs):
        net.train()
        total = 0.0
        for ids in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            loss = criterion(net(x[ids]).squeeze(1), y[ids])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(ids)
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {total / len(x):.4f}")
    return net


def main(seed=61):
    torch.manual_seed(seed)
    frame = bank()
    train, test = train_test_split(frame, test_size=0.3, stratify=frame["default"], random_state=seed)
    train = even_out(train, seed)
    logs = np.log1p(train[NUMBERS])
    centre, spread = logs.mean(), logs.std()
    net = learn(*to_tensors(train, centre, spread))
    print(f"rows for training {len(train)}, for testing {len(test)}")
    print(f"balanced accuracy {balanced_accuracy(net, *to_tensors(test, centre, spread)):.3f}")


if __name__ == "__main__":
    main()
