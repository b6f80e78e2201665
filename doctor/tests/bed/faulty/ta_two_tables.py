# missed: label_misaligned @ 26
# allowed: label_misaligned @ 25
# mend: 26 →     diagnosis = registry.loc[measurements.index, "malignant"].to_numpy()
"""Measurements in one table, diagnoses in another: tumours classified after a join on the case number."""
import pandas as pd
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from torch import nn

SEED = 101


def read_tables():
    """The laboratory's export and the registry's, both keyed by case number."""
    bunch = load_breast_cancer(as_frame=True)
    cases = pd.Index([f"case-{i:04d}" for i in range(len(bunch.data))], name="case")
    measurements = bunch.data.set_index(cases)
    registry = pd.DataFrame({"malignant": (1 - bunch.target).to_numpy()}, index=cases)
    return measurements, registry


def prepare(measurements, registry, holdout=0.3):
    # the laboratory numbers its cases by clinic, so mix them
    measurements = measurements.sample(frac=1.0, random_state=SEED)
    diagnosis = registry["malignant"].to_numpy()
    cut = int(len(measurements) * (1 - holdout))
    scaler = StandardScaler().fit(measurements.iloc[:cut])
    X = torch.tensor(scaler.transform(measurements), dtype=torch.float32)
    y = torch.tensor(diagnosis, dtype=torch.float32)
    return (X[:cut], y[:cut]), (X[cut:], y[cut:])


def batches(X, y, size):
    for rows in torch.randperm(len(X)).split(size):
        yield X[rows], y[rows]


def make_net(n_features):
    return nn.Sequential(
        nn.Linear(n_features, 24), nn.LayerNorm(24), nn.ReLU(),
        nn.Linear(24, 8), nn.ReLU(),
        nn.Linear(8, 1), nn.Flatten(start_dim=0),
    )


def fit(net, X, y, epochs=15, lr=3e-3):
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(1, epochs + 1):
        net.train()
        total = 0.0
        for xb, yb in batches(X, y, 32):
            optimizer.zero_grad()
            loss = criterion(net(xb), yb)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xb)
        if epoch % 5 == 0:
            print(f"epoch {epoch:2d}  loss {total / len(X):.3f}")


@torch.no_grad()
def confusion(net, X, y):
    net.eval()
    called = net(X) > 0
    truth = y > 0.5
    table = pd.crosstab(
        pd.Series(truth.numpy(), name="malignant"), pd.Series(called.numpy(), name="called malignant")
    )
    return table, (called == truth).float().mean().item()


if __name__ == "__main__":
    torch.manual_seed(SEED)
    train_part, test_part = prepare(*read_tables())
    net = make_net(train_part[0].shape[1])
    fit(net, *train_part)
    table, accuracy = confusion(net, *test_part)
    print(table)
    print(f"test accuracy {accuracy:.3f}")
