# expect: nothing
# needs: skorch
import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import balanced_accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn


class Diagnostico(nn.Module):
    """Devolve probabilidades já normalizadas; o NeuralNetClassifier tira o log delas."""

    def __init__(self, entradas=30, ocultas=16, p=0.2):
        super().__init__()
        self.camadas = nn.Sequential(
            nn.Linear(entradas, ocultas),
            nn.BatchNorm1d(ocultas),
            nn.ReLU(),
            nn.Dropout(p),
            nn.Linear(ocultas, 2),
            nn.Softmax(dim=-1),
        )

    def forward(self, X):
        return self.camadas(X)


def para_float(x):
    return np.asarray(x, dtype=np.float32)


def montar():
    torch.manual_seed(6)
    rede = NeuralNetClassifier(
        Diagnostico,
        optimizer=torch.optim.Adam,
        lr=5e-3,
        max_epochs=20,
        batch_size=33,
        iterator_train__shuffle=True,
        iterator_train__drop_last=True,
        train_split=None,
        verbose=0,
    )
    return make_pipeline(StandardScaler(), rede)


dados = load_breast_cancer()
X, y = para_float(dados.data), dados.target.astype(np.int64)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.3, stratify=y, random_state=6)

modelo = montar().fit(X_tr, y_tr)
perdas = modelo[-1].history[:, "train_loss"]
print("perda por época:", [round(float(p), 3) for p in perdas[::5]])

proba = modelo.predict_proba(X_te)
assert np.allclose(proba.sum(1), 1, atol=1e-5)
print(f"perda log no teste: {log_loss(y_te, proba):.3f}")
print(f"acerto equilibrado: {balanced_accuracy_score(y_te, proba.argmax(1)):.3f}")
print(f"fração da classe maior: {max(y_te.mean(), 1 - y_te.mean()):.3f}")
