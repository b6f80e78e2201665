# expect: nothing
# needs: skorch
# Comparaison de largeurs avec skorch : le réseau rend des probabilités (softmax dans forward),
# NeuralNetClassifier prend lui-même le logarithme avant NLLLoss.
import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold, cross_validate, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

torch.manual_seed(31)


class Vin(nn.Module):
    def __init__(self, largeur=16):
        super().__init__()
        self.corps = nn.Sequential(nn.Linear(13, largeur), nn.ReLU(), nn.Dropout(0.2), nn.Linear(largeur, 3))

    def forward(self, x):
        return torch.softmax(self.corps(x), dim=-1)


class EnFloat32(StandardScaler):
    def transform(self, X, copy=None):
        return super().transform(X, copy=copy).astype(np.float32)


def chaine(largeur):
    classeur = NeuralNetClassifier(
        Vin,
        module__largeur=largeur,
        criterion=nn.NLLLoss,
        optimizer=torch.optim.Adam,
        lr=0.02,
        max_epochs=15,
        batch_size=20,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )
    return make_pipeline(EnFloat32(), classeur)


X, y = load_wine(return_X_y=True)
y = y.astype(np.int64)
X_app, X_test, y_app, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=31)

plis = StratifiedKFold(n_splits=3, shuffle=True, random_state=31)
pertes = {}
for largeur in (4, 16):
    res = cross_validate(chaine(largeur), X_app, y_app, cv=plis, scoring=["neg_log_loss", "accuracy"])
    pertes[largeur] = -res["test_neg_log_loss"].mean()
    print(f"largeur {largeur:2d}: perte log {pertes[largeur]:.3f}, justesse {res['test_accuracy'].mean():.3f}")

choix = min(pertes, key=pertes.get)
final = chaine(choix).fit(X_app, y_app)
p = final.predict_proba(X_test)
print(f"largeur retenue {choix}; sommes des probabilités entre {p.sum(1).min():.4f} et {p.sum(1).max():.4f}")
print(f"test: justesse {final.score(X_test, y_test):.3f}")
