# needs: skorch
# expect: nothing
# Clasificador de tumores (breast cancer) con skorch; la partición es estratificada.
import argparse

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import balanced_accuracy_score, confusion_matrix
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from torch import nn


class Registro(Callback):
    """Imprime la pérdida de entrenamiento cada pocas épocas."""

    def __init__(self, cada=5):
        self.cada = cada

    def on_epoch_end(self, net, **kwargs):
        epoca = net.history[-1, "epoch"]
        if epoca % self.cada == 0:
            print(f"  época {epoca:3d}  pérdida {net.history[-1, 'train_loss']:.4f}")


class Perceptron(nn.Module):
    def __init__(self, n_entradas=30, oculta=24, n_clases=2):
        super().__init__()
        self.capa1 = nn.Linear(n_entradas, oculta)
        self.capa2 = nn.Linear(oculta, oculta)
        self.salida = nn.Linear(oculta, n_clases)

    def forward(self, X):
        h = torch.tanh(self.capa1(X))
        h = torch.tanh(self.capa2(h))
        return self.salida(h)


def a_float32(X):
    return np.asarray(X, dtype=np.float32)


def crear_modelo(args):
    red = NeuralNetClassifier(
        Perceptron,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.SGD,
        optimizer__momentum=0.9,
        lr=args.lr,
        max_epochs=args.epocas,
        batch_size=args.lote,
        iterator_train__shuffle=True,
        train_split=None,
        callbacks=[Registro()],
        verbose=0,
    )
    return make_pipeline(StandardScaler(), FunctionTransformer(a_float32), red)


def leer_datos(semilla):
    X, y = load_breast_cancer(return_X_y=True)
    return train_test_split(X, y.astype(np.int64), test_size=0.25, stratify=y, random_state=semilla)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--lr", type=float, default=0.02)
    ap.add_argument("--epocas", type=int, default=20)
    ap.add_argument("--lote", type=int, default=32)
    ap.add_argument("--semilla", type=int, default=4)
    args = ap.parse_args()

    torch.manual_seed(args.semilla)
    X_ent, X_pru, y_ent, y_pru = leer_datos(args.semilla)
    modelo = crear_modelo(args)
    modelo.fit(X_ent, y_ent)

    for nombre, X, y in (("entrenamiento", X_ent, y_ent), ("prueba", X_pru, y_pru)):
        pred = modelo.predict(X)
        print(f"{nombre}: exactitud equilibrada {balanced_accuracy_score(y, pred):.3f}")
    print(confusion_matrix(y_pru, modelo.predict(X_pru)))


if __name__ == "__main__":
    main()
