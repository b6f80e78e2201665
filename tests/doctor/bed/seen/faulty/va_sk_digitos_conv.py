# expect: softmax_before_cross_entropy @ 49
# allowed: softmax_before_cross_entropy @ 53
# allowed: softmax_before_cross_entropy @ 60
# needs: skorch
# Reconocimiento de dígitos con una red convolucional pequeña envuelta en skorch.
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import classification_report, log_loss
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier
from skorch.callbacks import EpochScoring, LRScheduler
from skorch.dataset import ValidSplit
from torch import nn


def cargar(semilla=5):
    digitos = load_digits()
    imagenes = (digitos.images / 16.0).astype(np.float32)[:, None]     # N x 1 x 8 x 8
    etiquetas = digitos.target.astype(np.int64)
    return train_test_split(imagenes, etiquetas, test_size=0.25,
                            stratify=etiquetas, random_state=semilla)


class BloqueConv(nn.Sequential):
    def __init__(self, entra, sale):
        super().__init__(
            nn.Conv2d(entra, sale, 3, padding=1),
            nn.BatchNorm2d(sale),
            nn.ReLU(),
        )


class RedDigitos(nn.Module):
    def __init__(self, ancho=12, clases=10, p=0.2):
        super().__init__()
        self.cuerpo = nn.Sequential(
            BloqueConv(1, ancho),
            nn.MaxPool2d(2),
            BloqueConv(ancho, 2 * ancho),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
        )
        self.cabeza = nn.Sequential(
            nn.Dropout(p),
            nn.Linear(8 * ancho, 48),
            nn.ReLU(),
            nn.Linear(48, clases),
            nn.Softmax(dim=-1),
        )

    def forward(self, imagen):
        return self.cabeza(self.cuerpo(imagen))


def construir(epocas):
    return NeuralNetClassifier(
        RedDigitos,
        module__ancho=12,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=1e-3,
        lr=4e-3,
        max_epochs=epocas,
        batch_size=64,
        iterator_train__shuffle=True,
        iterator_train__drop_last=True,
        train_split=ValidSplit(0.2, stratified=True, random_state=0),
        callbacks=[
            ("acierto_entreno", EpochScoring("accuracy", on_train=True, lower_is_better=False,
                                             name="train_acc")),
            ("plan", LRScheduler("CosineAnnealingLR", T_max=epocas)),
        ],
        device="cpu",
    )


def principal():
    torch.manual_seed(5)
    x_entreno, x_prueba, y_entreno, y_prueba = cargar()
    red = construir(epocas=8)
    red.fit(x_entreno, y_entreno)

    prob = red.predict_proba(x_prueba)
    elegido = prob.argmax(axis=1)
    print(classification_report(y_prueba, elegido, digits=3, zero_division=0))
    print("log-loss de prueba: %.4f" % log_loss(y_prueba, prob, labels=range(10)))
    print("confianza media: %.3f" % prob.max(axis=1).mean())


if __name__ == "__main__":
    principal()
