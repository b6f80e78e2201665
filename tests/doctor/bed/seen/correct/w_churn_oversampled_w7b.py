# expect: nothing
"""Churn with a rare class: split first, then the minority rows of the training part are repeated; threshold from the validation rows."""
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import balanced_accuracy_score, recall_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils import resample
from torch import nn

SEED = 3


def load(n=4000):
    rng = np.random.default_rng(SEED)
    churn = rng.random(n) < 0.1
    return pd.DataFrame({
        "calls": rng.poisson(np.where(churn, 4.0, 2.0)),
        "months": rng.gamma(4, 6, n) * np.where(churn, 0.6, 1.0),
        "bill": rng.normal(45, 12, n) + 9 * churn,
        "data_gb": rng.gamma(3, 4, n),
        "complaints": rng.poisson(np.where(churn, 1.0, 0.3)),
        "churn": churn.astype(int),
    })


def oversample(frame):
    small, large = frame[frame.churn == 1], frame[frame.churn == 0]
    more = resample(small, n_samples=len(large) // 2, random_state=SEED)
    return pd.concat([large, more], ignore_index=True)


def parts():
    frame = load()
    rest, test = train_test_split(frame, test_size=0.25, stratify=frame.churn, random_state=SEED)
    train, val = train_test_split(rest, test_size=0.25, stratify=rest.churn, random_state=SEED)
    scaler = StandardScaler().fit(train.drop(columns="churn"))
    for part in (oversample(train), val, test):
        x = scaler.transform(part.drop(columns="churn"))
        yield torch.tensor(x, dtype=torch.float32), torch.tensor(part["churn"].to_numpy())


def logits(model, x):
    model.eval()
    with torch.no_grad():
        return model(x).squeeze(1)


def main():
    torch.manual_seed(SEED)
    (x, y), (xv, yv), (xt, yt) = parts()
    model = nn.Sequential(nn.Linear(x.shape[1], 24), nn.ReLU(), nn.Dropout(0.1), nn.Linear(24, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(10):
        model.train()
        shuffled = torch.randperm(len(x))
        for rows in shuffled.split(128):
            target = y[rows].float().unsqueeze(1)
            loss = nn.functional.binary_cross_entropy_with_logits(model(x[rows]), target, reduction="sum") / len(rows)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 3 == 0:
            print(f"epoch {epoch}: loss of the last batch {loss.item():.3f}")

    val_logits = logits(model, xv)
    candidates = np.linspace(-1.5, 1.5, 31)
    figures = [balanced_accuracy_score(yv, val_logits > t) for t in candidates]
    threshold = float(candidates[int(np.argmax(figures))])
    guess = logits(model, xt) > threshold
    print(f"threshold {threshold:.1f} (validation {max(figures):.3f})")
    print(f"test: balanced accuracy {balanced_accuracy_score(yt, guess):.3f}, recall of churn {recall_score(yt, guess):.3f}")


if __name__ == "__main__":
    main()
