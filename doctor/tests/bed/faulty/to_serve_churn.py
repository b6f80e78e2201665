# expect: missing_eval @ 63
# allowed: missing_eval @ 62
# allowed: missing_eval @ 64
# allowed: missing_eval @ 72
# allowed: missing_eval @ 73
# allowed: missing_eval @ 74
# allowed: missing_eval @ 111
# allowed: missing_eval @ 113
# mend: 63 +     model.eval()
"""Churn classifier as a small production job: train, keep the best checkpoint by validation AUC,
load the artefact the way the scoring service does and score the hold-out customers."""
import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

NUMERIC = ["tenure", "monthly", "tickets", "logins", "discount"]


def customers(n, seed):
    rng = np.random.default_rng(seed)
    df = pd.DataFrame({
        "tenure": rng.gamma(2.0, 14.0, n),
        "monthly": rng.normal(48, 16, n).clip(9),
        "tickets": rng.poisson(1.6, n),
        "logins": rng.gamma(3.0, 4.0, n),
        "discount": rng.uniform(0, 0.3, n),
    })
    z = -0.05 * (df["tenure"] - 28) + 0.7 * (df["tickets"] - 1.6) - 0.12 * (df["logins"] - 12) + 0.03 * (df["monthly"] - 48)
    z = z - 6 * (df["discount"] - 0.15) * (df["monthly"] > 50)
    df["churned"] = (rng.random(n) < 1 / (1 + np.exp(-1.3 * z))).astype("float32")
    return df


def auc(score, label):
    rank = np.empty(len(score))
    rank[np.argsort(score, kind="stable")] = np.arange(1, len(score) + 1)
    pos = label.sum()
    return (rank[label == 1].sum() - pos * (pos + 1) / 2) / (pos * (len(label) - pos))


def build_model(config):
    layers, width = [], config["n_inputs"]
    for hidden in config["hidden"]:
        layers += [nn.Linear(width, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Dropout(config["dropout"])]
        width = hidden
    return nn.Sequential(*layers, nn.Linear(width, 1), nn.Flatten(0))


def save_artefact(folder, model, config, stats):
    torch.save(model.state_dict(), folder / "weights.pt")
    (folder / "config.json").write_text(json.dumps({"model": config, "stats": stats}))


def load_artefact(folder):
    blob = json.loads((folder / "config.json").read_text())
    model = build_model(blob["model"])
    model.load_state_dict(torch.load(folder / "weights.pt"))
    return model, blob["stats"]


def encode(df, stats):
    mean, std = np.array(stats["mean"]), np.array(stats["std"])
    return torch.tensor((df[NUMERIC].to_numpy() - mean) / std, dtype=torch.float32)


@torch.inference_mode()
def score(model, x):
    return torch.sigmoid(model(x)).numpy()


def train(df, val, folder, args):
    config = {"n_inputs": len(NUMERIC), "hidden": [48, 24], "dropout": 0.3}
    stats = {"mean": df[NUMERIC].mean().tolist(), "std": df[NUMERIC].std().tolist()}
    x, y = encode(df, stats), torch.tensor(df["churned"].to_numpy())
    x_val, y_val = encode(val, stats), val["churned"].to_numpy()
    model = build_model(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=1e-2)
    best = 0.0
    for epoch in range(args.epochs):
        model.train()
        for rows in torch.randperm(len(x)).split(args.batch_size):
            loss = nn.functional.binary_cross_entropy_with_logits(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        val_auc = auc(score(model, x_val), y_val)
        print(f"epoch {epoch + 1:2d}  validation AUC {val_auc:.4f}")
        if val_auc > best:
            best = val_auc
            save_artefact(folder, model, config, stats)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--lr", type=float, default=3e-3)
    args = parser.parse_args()
    torch.manual_seed(17)
    df = customers(3000, seed=17)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train(df.iloc[:2000], df.iloc[2000:2400], folder, args)
        model, stats = load_artefact(folder)
        holdout = df.iloc[2400:]
        risk = score(model, encode(holdout, stats))
    label = holdout["churned"].to_numpy()
    print(f"hold-out AUC {auc(risk, label):.4f}, Brier {np.mean((risk - label) ** 2):.4f}")
    print("ten riskiest customers:", np.argsort(-risk)[:10].tolist())


if __name__ == "__main__":
    main()
