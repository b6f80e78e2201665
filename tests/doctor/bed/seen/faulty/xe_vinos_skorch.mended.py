# expect: nothing
# needs: skorch
"""Clasificador de vinos con skorch dentro de un pipeline de sklearn."""
import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn


class RedVinos(nn.Module):
    def __init__(self, entradas=13, ocultas=20, clases=3, p=0.1):
        super().__init__()
        self.entrada = nn.Linear(entradas, ocultas)
        self.caida = nn.Dropout(p)
        self.salida = nn.Linear(ocultas, clases)

    def forward(self, x):
        h = self.caida(torch.relu(self.entrada(x)))
        return self.salida(h)


def hacer_modelo(epocas=40, tasa=0.05):
    red = NeuralNetClassifier(
        RedVinos,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.SGD,
        optimizer__momentum=0.9,
        lr=tasa,
        max_epochs=epocas,
        batch_size=32,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )
    return make_pipeline(StandardScaler(), red)


def main(semilla=17):
    torch.manual_seed(semilla)
    np.random.seed(semilla)
    X, y = load_wine(return_X_y=True)
    X = X.astype(np.float32)
    y = y.astype(np.int64)
    X_ent, X_pru, y_ent, y_pru = train_test_split(
        X, y, test_size=0.35, random_state=semilla, stratify=y
    )
    modelo = hacer_modelo()
    modelo.fit(X_ent, y_ent)

    historia = modelo[-1].history
    for k in (0, 9, 19, 39):
        print(f"epoca {k + 1:2d}: perdida {historia[k, 'train_loss']:.4f}")
    prob = modelo.predict_proba(X_pru)
    print("exactitud:", round(accuracy_score(y_pru, prob.argmax(axis=1)), 3))
    print("log-loss :", round(log_loss(y_pru, prob), 3))


if __name__ == "__main__":
    main()
