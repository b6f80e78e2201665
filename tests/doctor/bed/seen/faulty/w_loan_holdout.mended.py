# expect: nothing
"""Loan default from an application table: holdout by DataFrame.sample, embeddings for the categories, AUC at the end."""
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

CATS = {"purpose": ["car", "home", "study", "other"], "job": ["hourly", "salaried", "self"]}
NUMS = ["income", "amount", "age", "open_lines"]


def load_applications(n=2400, seed=31):
    rng = np.random.default_rng(seed)
    df = pd.DataFrame({
        "income": rng.lognormal(10.3, 0.4, n),
        "amount": rng.lognormal(9.0, 0.5, n),
        "age": rng.integers(21, 70, n),
        "open_lines": rng.poisson(4, n),
        "purpose": rng.choice(CATS["purpose"], n),
        "job": rng.choice(CATS["job"], n),
    })
    burden = np.log(df.amount / df.income)
    risk = 1.8 * (burden + 1.3) + 0.15 * (df.open_lines - 4) + 0.8 * (df.job == "hourly") - 0.7 * (df.purpose == "home")
    df["default"] = (rng.random(n) < 1 / (1 + np.exp(-risk))).astype(int)
    return df


def holdout(df, share=0.25, seed=31):
    test = df.sample(frac=share, random_state=seed)
    train = df.drop(index=test.index).reset_index(drop=True)
    return train, test


def encode(df, mean, std):
    numbers = df[NUMS].astype(float).copy()
    numbers[["income", "amount"]] = np.log(numbers[["income", "amount"]])
    if mean is None:
        mean, std = numbers.mean(), numbers.std()
    codes = np.stack([pd.Categorical(df[c], categories=levels).codes for c, levels in CATS.items()], axis=1)
    tensors = (
        torch.tensor(((numbers - mean) / std).to_numpy(), dtype=torch.float32),
        torch.tensor(codes, dtype=torch.long),
        torch.tensor(df["default"].to_numpy(), dtype=torch.float32),
    )
    return tensors, mean, std


class LoanNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.ModuleList(nn.Embedding(len(levels), 3) for levels in CATS.values())
        self.mlp = nn.Sequential(nn.Linear(len(NUMS) + 3 * len(CATS), 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 1))

    def forward(self, numbers, codes):
        parts = [table(codes[:, i]) for i, table in enumerate(self.embed)]
        return self.mlp(torch.cat([numbers, *parts], dim=1)).squeeze(1)


def main():
    torch.manual_seed(31)
    train, test = holdout(load_applications())
    (num, cat, y), mean, std = encode(train, None, None)
    (num_t, cat_t, y_t), _, _ = encode(test, mean, std)
    net = LoanNet()
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for epoch in range(10):
        net.train()
        for rows in torch.randperm(len(y)).split(100):
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(net(num[rows], cat[rows]), y[rows])
            loss.backward()
            optimizer.step()
    net.eval()
    with torch.no_grad():
        score = net(num_t, cat_t)
    print(f"train rows {len(y)}, test rows {len(y_t)}, default share {y_t.mean():.2f}")
    print(f"test AUC {roc_auc_score(y_t.numpy(), score.numpy()):.3f}")


if __name__ == "__main__":
    main()
