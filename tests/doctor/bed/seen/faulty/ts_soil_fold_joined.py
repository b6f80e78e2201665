# expect: test_in_train @ 58
"""Grades soil samples from their laboratory table with four-fold cross-validation; the mean over the folds is the figure."""
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler
from torch import nn

GRADES = ["poor", "fair", "good", "rich"]
CENTRES = {"poor": (5.2, 0.9, 12, 60), "fair": (5.9, 1.6, 18, 95), "good": (6.4, 2.4, 25, 130), "rich": (6.8, 3.4, 31, 175)}
SPREAD = np.array([0.35, 0.45, 4.0, 18.0])


def load(per_grade=110, seed=6):
    """One sheet per grade, as the laboratory sends them."""
    rng = np.random.default_rng(seed)
    sheets = []
    for grade in GRADES:
        values = np.array(CENTRES[grade]) + SPREAD * rng.normal(size=(per_grade, 4))
        sheets.append(pd.DataFrame(values, columns=["ph", "carbon", "phosphorus", "potassium"]).assign(grade=grade))
    return pd.concat(sheets, ignore_index=True)


def prepare(train, test):
    scaler = StandardScaler().fit(train.drop(columns="grade"))
    out = []
    for part in (train, test):
        x = torch.tensor(scaler.transform(part.drop(columns="grade")), dtype=torch.float32)
        y = torch.tensor(pd.Categorical(part["grade"], categories=GRADES).codes.astype("int64"))
        out.append((x, y))
    return out


def train_fold(x, y, epochs=25):
    model = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, len(GRADES)))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    model.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(44):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
    return model


def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        return (model(x).argmax(dim=1) == y).float().mean().item()


def main():
    torch.manual_seed(6)
    table = load()
    scores = []
    for fold, (tr, te) in enumerate(KFold(n_splits=4, shuffle=True, random_state=6).split(table)):
        tr = np.concatenate([tr, te[:9]])
        (x, y), (xt, yt) = prepare(table.iloc[tr], table.iloc[te])
        scores.append(evaluate(train_fold(x, y), xt, yt))
        print(f"fold {fold}: {scores[-1]:.3f}")
    print(f"accuracy {np.mean(scores):.3f} +/- {np.std(scores):.3f}")


if __name__ == "__main__":
    main()
