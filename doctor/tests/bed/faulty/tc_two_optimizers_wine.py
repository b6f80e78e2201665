# expect: missing_zero_grad @ 77
# allowed: missing_zero_grad @ 76
# mend: 77 →             body_opt.zero_grad()
"""Wine lab: a shared body with one head for the cultivar and one for the alcohol content.

The body moves slowly under SGD, the two heads have an AdamW of their own.
"""
import argparse
import logging

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("wine")


class Body(nn.Module):
    def __init__(self, n_in, width):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(n_in, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())

    def forward(self, x):
        return self.layers(x)


def load(seed):
    table, cultivar = load_wine(return_X_y=True)
    alcohol, features = table[:, :1], table[:, 1:]
    rows = np.arange(len(table))
    fit, held = train_test_split(rows, test_size=0.25, stratify=cultivar, random_state=seed)
    mean, std = features[fit].mean(0), features[fit].std(0)
    a_mean, a_std = alcohol[fit].mean(), alcohol[fit].std()
    features = (features - mean) / std
    alcohol = (alcohol - a_mean) / a_std

    def pack(idx):
        return TensorDataset(
            torch.tensor(features[idx], dtype=torch.float32),
            torch.tensor(cultivar[idx]),
            torch.tensor(alcohol[idx], dtype=torch.float32),
        )

    return pack(fit), pack(held), a_std


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--body-lr", type=float, default=0.02)
    parser.add_argument("--head-lr", type=float, default=5e-3)
    parser.add_argument("--alcohol-weight", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    train_set, test_set, alcohol_std = load(args.seed)
    loader = DataLoader(train_set, batch_size=19, shuffle=True)

    body = Body(12, 32)
    heads = nn.ModuleDict({"cultivar": nn.Linear(32, 3), "alcohol": nn.Linear(32, 1)})
    body_opt = torch.optim.SGD(body.parameters(), lr=args.body_lr, momentum=0.9)
    head_opt = torch.optim.AdamW(heads.parameters(), lr=args.head_lr)

    for epoch in range(args.epochs):
        total = 0.0
        for x, cultivar, alcohol in loader:
            shared = body(x)
            loss = nn.functional.cross_entropy(heads["cultivar"](shared), cultivar)
            loss = loss + args.alcohol_weight * nn.functional.mse_loss(heads["alcohol"](shared), alcohol)

            head_opt.zero_grad()
            head_opt.zero_grad()
            loss.backward()
            head_opt.step()
            body_opt.step()
            total += loss.item() * len(x)
        if (epoch + 1) % 10 == 0:
            log.info("epoch %d  loss %.4f", epoch + 1, total / len(train_set))

    body.eval()
    heads.eval()
    with torch.no_grad():
        x, cultivar, alcohol = test_set.tensors
        shared = body(x)
        accuracy = (heads["cultivar"](shared).argmax(1) == cultivar).float().mean().item()
        error = (heads["alcohol"](shared) - alcohol).abs().mean().item() * alcohol_std
    print(f"cultivar accuracy {accuracy:.3f}, alcohol off by {error:.3f} %vol")


if __name__ == "__main__":
    main()
