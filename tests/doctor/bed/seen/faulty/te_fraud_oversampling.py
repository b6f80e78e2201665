# expect: duplicate_leakage @ 57
# allowed: duplicate_leakage @ 58
"""Card fraud on a made-up table: rare frauds are multiplied with a little jitter so that the net sees enough of them."""
import numpy as np
import torch
from sklearn.metrics import precision_score, recall_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

RNG = np.random.default_rng(31)
COPIES = 8


def transactions(n=1200, n_fraud=150, n_features=16):
    """Eleven of the columns are noise; frauds are shifted in the other five."""
    x = RNG.normal(0, 1, (n, n_features))
    y = np.zeros(n, dtype=np.int64)
    y[:n_fraud] = 1
    x[:n_fraud, :5] += RNG.choice([1.1, 1.7], (n_fraud, 5))
    order = RNG.permutation(n)
    return x[order], y[order]


def oversample(x, y, copies=COPIES, jitter=0.02):
    rare = x[y == 1]
    extra = np.repeat(rare, copies - 1, axis=0)
    extra = extra + RNG.normal(0, jitter, extra.shape)
    x = np.vstack([x, extra])
    y = np.concatenate([y, np.ones(len(extra), dtype=np.int64)])
    return x, y


def build(n_features):
    return nn.Sequential(nn.Linear(n_features, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 2))


def fit(model, x, y, epochs=20, batch=64):
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(x)).split(batch):
            loss = criterion(model(x[idx]), y[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        if (epoch + 1) % 10 == 0:
            print(f"epoch {epoch + 1}: loss {total / len(x):.4f}")


def main():
    torch.manual_seed(31)
    x, y = transactions()
    x, y = oversample(x, y)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=31)
    scaler = StandardScaler().fit(x_train)
    x_train = torch.tensor(scaler.transform(x_train), dtype=torch.float32)
    x_test = torch.tensor(scaler.transform(x_test), dtype=torch.float32)

    model = build(x_train.shape[1])
    fit(model, x_train, torch.tensor(y_train))

    model.eval()
    with torch.no_grad():
        predicted = model(x_test).argmax(dim=1).numpy()
    print(f"rows: {len(x_train)} to train, {len(x_test)} to test ({int(y_test.sum())} frauds)")
    print(f"test recall {recall_score(y_test, predicted):.3f}, precision {precision_score(y_test, predicted):.3f}")
    print(f"test balanced accuracy {np.mean([(predicted[y_test == c] == c).mean() for c in (0, 1)]):.3f}")


if __name__ == "__main__":
    main()
