# expect: label_misaligned @ 35
# allowed: label_misaligned @ 30
# allowed: label_misaligned @ 34
# allowed: label_misaligned @ 60
"""Loan register: the applications and the outcomes come as two tables; logistic net on both."""
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from sklearn.metrics import roc_auc_score
from torch import nn


def read_applications(n, seed):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({
        "loan_id": rng.permutation(np.arange(100_000, 100_000 + n)),
        "income": rng.lognormal(10.3, 0.4, n),
        "amount": rng.lognormal(9.2, 0.5, n),
        "years_employed": rng.exponential(5.0, n),
        "late_payments": rng.poisson(0.7, n),
    })


def read_outcomes(applications, seed):
    rng = np.random.default_rng(seed)
    burden = np.log(applications["amount"] / applications["income"])
    risk = 1.8 * burden + 0.9 * applications["late_payments"] - 0.15 * applications["years_employed"]
    default = (risk - risk.median() + rng.logistic(0, 0.5, len(risk)) > 0).astype(int)
    return pd.DataFrame({"loan_id": applications["loan_id"], "default": default}).sort_values("loan_id")


def prepare(applications, outcomes):
    outcomes = outcomes.reset_index(drop=True)
    table = applications.assign(default=outcomes["default"])
    for column in ("income", "amount"):
        table[column] = np.log(table[column])
    return table


def split(table, seed, share=0.25):
    test = table.sample(frac=share, random_state=seed)
    return table.drop(test.index), test


class LogisticNet(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.hidden = nn.Linear(n_in, 16)
        self.out = nn.Linear(16, 1)

    def forward(self, x):
        return self.out(F.elu(self.hidden(x))).squeeze(1)


def main(seed=31):
    torch.manual_seed(seed)
    applications = read_applications(2000, seed)
    outcomes = read_outcomes(applications, seed + 1)
    table = prepare(applications, outcomes)
    train, test = split(table, seed)
    columns = ["income", "amount", "years_employed", "late_payments"]
    mean, std = train[columns].mean(), train[columns].std()
    tensor = lambda frame: torch.tensor(((frame[columns] - mean) / std).to_numpy(), dtype=torch.float32)
    x, y = tensor(train), torch.tensor(train["default"].to_numpy(), dtype=torch.float32)

    model = LogisticNet(len(columns))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for epoch in range(20):
        model.train()
        total = 0.0
        for rows in torch.randperm(len(x)).split(50):
            optimizer.zero_grad()
            loss = F.binary_cross_entropy_with_logits(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2d}  loss {total / len(x):.4f}")

    model.eval()
    with torch.no_grad():
        score = model(tensor(test)).numpy()
    print(f"test AUC {roc_auc_score(test['default'], score):.3f}")


if __name__ == "__main__":
    main()
