# expect: nothing
# needs: skorch
"""Vorhersage der Kündigung (kleine, verrauschte Tabelle) mit skorch und frühem Abbruch."""
import warnings

import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import Checkpoint, EarlyStopping, EpochScoring
from skorch.dataset import Dataset
from skorch.helper import predefined_split
from torch import nn

warnings.filterwarnings("ignore", category=FutureWarning)


class ZumSpeicher(Checkpoint):
    """Merkt sich den besten Stand im Arbeitsspeicher statt auf der Platte."""

    def save_model(self, net):
        self.stand_ = {k: v.detach().clone() for k, v in net.module_.state_dict().items()}

    def on_train_end(self, net, **kwargs):
        net.module_.load_state_dict(self.stand_)


class Tabellennetz(nn.Module):
    def __init__(self, spalten, breite=48, p=0.3):
        super().__init__()
        self.netz = nn.Sequential(
            nn.Linear(spalten, breite), nn.ReLU(), nn.Dropout(p),
            nn.Linear(breite, breite), nn.ReLU(), nn.Dropout(p),
            nn.Linear(breite, 2),
        )

    def forward(self, X):
        return self.netz(X)


def lade_kunden(saat):
    X, y = make_classification(n_samples=760, n_features=25, n_informative=6, n_redundant=2,
                               flip_y=0.25, class_sep=0.7, random_state=saat)
    return X.astype(np.float32), y.astype(np.int64)


def teile(X, y, saat):
    """Training / Auswahl / Test, der Skalierer kennt nur das Training."""
    X_rest, X_test, y_rest, y_test = train_test_split(
        X, y, test_size=100, stratify=y, random_state=saat)
    X_tr, X_va, y_tr, y_va = train_test_split(
        X_rest, y_rest, test_size=100, stratify=y_rest, random_state=saat)
    skala = StandardScaler().fit(X_tr)
    return {"train": (skala.transform(X_tr), y_tr),
            "valid": (skala.transform(X_va), y_va),
            "test": (skala.transform(X_test), y_test)}


def baue_netz(auswahl, max_epochs=25, geduld=12):
    return NeuralNetClassifier(
        Tabellennetz,
        module__spalten=auswahl.X.shape[1],
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=3e-3,
        batch_size=40,
        max_epochs=max_epochs,
        iterator_train__shuffle=True,
        train_split=predefined_split(auswahl),
        callbacks=[
            ("train_acc", EpochScoring("accuracy", lower_is_better=False, on_train=True,
                                       name="train_acc")),
            ("merken", ZumSpeicher(monitor="valid_acc_best")),
            ("geduld", EarlyStopping("valid_acc", lower_is_better=False, patience=geduld)),
        ],
        verbose=0,
    )


def ein_lauf(saat):
    teil = teile(*lade_kunden(saat), saat)
    torch.manual_seed(saat)
    netz = baue_netz(Dataset(*teil["valid"]))
    netz.fit(*teil["train"])
    verlauf = netz.history
    print(f"  Saat {saat}: {len(verlauf)} Epochen, Verlust {verlauf[0, 'train_loss']:.3f} -> "
          f"{verlauf[-1, 'train_loss']:.3f}, Auswahl {max(verlauf[:, 'valid_acc']):.3f}")
    X_test, y_test = teil["test"]
    return accuracy_score(y_test, netz.predict(X_test))


def main():
    quoten = [ein_lauf(saat) for saat in (2, 3, 4, 5)]
    print("Testquoten:", [f"{q:.3f}" for q in quoten])
    print(f"Mittel {np.mean(quoten):.4f}")


if __name__ == "__main__":
    main()
