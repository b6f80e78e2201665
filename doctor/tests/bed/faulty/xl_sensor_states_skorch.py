# expect: unshuffled_sorted @ 60
# allowed: unshuffled_sorted @ 53
# allowed: unshuffled_sorted @ 64
# needs: skorch
# mend: 60 +         iterator_train__shuffle=True,
"""Classify machine states from vibration spectra with skorch."""
import numpy as np
import torch
from sklearn.metrics import accuracy_score
from skorch import NeuralNetClassifier
from torch import nn

STATES = ["idle", "start", "run", "load", "wear", "stop"]
PER_STATE = 300


def record_state(k, rng, n):
    """n spectra of 24 bins for state k."""
    freq = np.linspace(0, 1, 24)
    centre = 0.2 + 0.1 * k
    peak = np.exp(-((freq - centre) ** 2) / 0.02)
    gain = rng.uniform(0.5, 1.5, (n, 1))
    return gain * peak + rng.normal(0, 0.25, (n, 24))


def load_recordings(rng, n):
    X = np.concatenate([record_state(k, rng, n) for k in range(len(STATES))])
    y = np.concatenate([np.full(n, k) for k in range(len(STATES))])
    return X.astype(np.float32), y.astype(np.int64)


class SpectrumNet(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(24, hidden), nn.ReLU(),
            nn.Linear(hidden, hidden), nn.ReLU(),
            nn.Linear(hidden, len(STATES)),
        )

    def forward(self, X):
        return self.net(X)


def main():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    X_train, y_train = load_recordings(rng, PER_STATE)
    X_test, y_test = load_recordings(rng, 100)
    mu, sd = X_train.mean(0), X_train.std(0)
    X_train, X_test = (X_train - mu) / sd, (X_test - mu) / sd

    net = NeuralNetClassifier(
        SpectrumNet,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.SGD,
        optimizer__momentum=0.9,
        lr=0.05,
        max_epochs=12,
        batch_size=32,
        train_split=None,
        verbose=0,
    )
    net.fit(X_train, y_train)

    for row in net.history[::3]:
        print(f"epoch {row['epoch']:2d}  train loss {row['train_loss']:.4f}")
    pred = net.predict(X_test)
    print(f"test accuracy {accuracy_score(y_test, pred):.3f}")
    for k, state in enumerate(STATES):
        print(f"  {state:5s} recall {(pred[y_test == k] == k).mean():.2f}")


if __name__ == "__main__":
    main()
