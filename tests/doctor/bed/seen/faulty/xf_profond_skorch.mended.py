# expect: nothing
# needs: skorch
"""Reseau profond (tanh) branche sur skorch, avec un callback qui suit le balanced accuracy."""
import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import EpochScoring
from skorch.helper import predefined_split
from skorch.dataset import Dataset
from sklearn.datasets import make_classification
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

GRAINE = 14


def initialiser(couche, ecart=0.02):
    if isinstance(couche, nn.Linear):
        nn.init.xavier_normal_(couche.weight)
        nn.init.zeros_(couche.bias)


class Profond(nn.Module):
    def __init__(self, entree=20, largeur=48, blocs=7, classes=4):
        super().__init__()
        tailles = [entree] + [largeur] * blocs
        self.blocs = nn.ModuleList(nn.Linear(a, b) for a, b in zip(tailles, tailles[1:]))
        self.sortie = nn.Linear(largeur, classes)
        self.apply(initialiser)

    def forward(self, x):
        for bloc in self.blocs:
            x = torch.tanh(bloc(x))
        return self.sortie(x)


def donnees():
    x, y = make_classification(
        n_samples=1600, n_features=20, n_informative=12, n_redundant=2,
        n_classes=4, class_sep=1.6, random_state=GRAINE,
    )
    x_reste, x_test, y_reste, y_test = train_test_split(
        x.astype(np.float32), y.astype(np.int64), test_size=0.2, stratify=y, random_state=GRAINE
    )
    x_app, x_val, y_app, y_val = train_test_split(
        x_reste, y_reste, test_size=0.2, stratify=y_reste, random_state=GRAINE
    )
    echelle = StandardScaler().fit(x_app)
    f = lambda v: echelle.transform(v).astype(np.float32)
    return f(x_app), y_app, f(x_val), y_val, f(x_test), y_test


def main():
    torch.manual_seed(GRAINE)
    x_app, y_app, x_val, y_val, x_test, y_test = donnees()
    net = NeuralNetClassifier(
        Profond,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.SGD,
        optimizer__momentum=0.9,
        lr=0.03,
        max_epochs=14,
        batch_size=32,
        iterator_train__shuffle=True,
        train_split=predefined_split(Dataset(x_val, y_val)),
        callbacks=[("bal", EpochScoring("balanced_accuracy", lower_is_better=False, name="val_bal"))],
        verbose=0,
    )
    net.fit(x_app, y_app)
    for ligne in net.history[::3]:
        print(f"epoque {ligne['epoch']:2d}  app {ligne['train_loss']:.4f}  val {ligne['valid_loss']:.4f}  bal {ligne['val_bal']:.3f}")
    print(f"test : {balanced_accuracy_score(y_test, net.predict(x_test)):.3f}")


main()
