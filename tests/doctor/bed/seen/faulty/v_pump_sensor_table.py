# expect: nan_inputs @ 36
"""Predict the flow of a pump from its sensors; some sensors are silent now and then. Logging, checkpoint, AdamW."""
import argparse
import logging
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

log = logging.getLogger("pump")
SENSORS = ["pressure_in", "pressure_out", "speed", "temperature", "current"]


def read_plant_table(rows, seed):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(rows, len(SENSORS))), columns=SENSORS)
    table["flow"] = (
        2.0 * table["speed"] + np.tanh(table["pressure_out"] - table["pressure_in"])
        - 0.3 * table["temperature"] ** 2 + 0.1 * rng.normal(size=rows)
    )
    table["speed"] = 1450 + 120 * table["speed"]
    table["temperature"] = 60 + 8 * table["temperature"]
    silent = rng.random(rows) < 0.03
    table.loc[silent, "current"] = np.nan
    return table


def prepare(table, test_share):
    n_test = int(len(table) * test_share)
    train, test = table.iloc[:-n_test].copy(), table.iloc[-n_test:].copy()
    medians = train[SENSORS].median()
    for part in (train, test):
        part[SENSORS].fillna(medians)
    mean, std = train.mean(), train.std()
    log.info("train %d rows, test %d rows", len(train), len(test))
    tensors = []
    for part in (train, test):
        scaled = (part - mean) / std
        tensors.append(torch.tensor(scaled[SENSORS].to_numpy(), dtype=torch.float32))
        tensors.append(torch.tensor(scaled["flow"].to_numpy(), dtype=torch.float32).unsqueeze(1))
    return tensors


def train_epoch(net, x, y, optimizer, batch_size):
    net.train()
    total = 0.0
    order = torch.randperm(len(x))
    for start in range(0, len(x), batch_size):
        rows = order[start:start + batch_size]
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=2400)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=4)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    torch.manual_seed(args.seed)

    x_train, y_train, x_test, y_test = prepare(read_plant_table(args.rows, args.seed), test_share=0.25)
    net = nn.Sequential(nn.Linear(len(SENSORS), 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.AdamW(net.parameters(), lr=args.lr)
    for epoch in range(1, args.epochs + 1):
        loss = train_epoch(net, x_train, y_train, optimizer, args.batch_size)
        if epoch % 5 == 0:
            log.info("epoch %02d loss %.4f", epoch, loss)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pump.pt"
        torch.save({"net": net.state_dict(), "args": vars(args)}, path)
        log.info("checkpoint of %s", "more than 1 kB" if path.stat().st_size > 1024 else "little")
    net.eval()
    with torch.no_grad():
        rest = nn.functional.mse_loss(net(x_test), y_test).item()
    print(f"unexplained variance on the test rows {rest:.4f}")


if __name__ == "__main__":
    main()
