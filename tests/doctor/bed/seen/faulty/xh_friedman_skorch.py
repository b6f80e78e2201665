# expect: lr_too_high @ 41
# needs: skorch
import numpy as np
import torch
from skorch import NeuralNetRegressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import make_friedman1
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(0)


class Perceptron(nn.Module):
    def __init__(self, n_entrees=10, n_caches=48):
        super().__init__()
        self.reseau = nn.Sequential(
            nn.Linear(n_entrees, n_caches),
            nn.ReLU(),
            nn.Linear(n_caches, n_caches),
            nn.ReLU(),
            nn.Linear(n_caches, 1),
        )

    def forward(self, X):
        return self.reseau(X)


X, y = make_friedman1(n_samples=1000, n_features=10, noise=0.8, random_state=0)
X, y = X.astype(np.float32), y.astype(np.float32).reshape(-1, 1)
X_app, X_test, y_app, y_test = train_test_split(X, y, test_size=0.25, random_state=0)

regresseur = NeuralNetRegressor(
    Perceptron,
    criterion=nn.MSELoss,
    optimizer=torch.optim.Adam,
    optimizer__weight_decay=1e-4,
    lr=0.25,
    max_epochs=20,
    batch_size=32,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)

modele = TransformedTargetRegressor(
    regressor=make_pipeline(StandardScaler(), regresseur),
    transformer=StandardScaler(),
    check_inverse=False,
)
modele.fit(X_app, y_app)

pertes = modele.regressor_[-1].history[:, "train_loss"]
for numero, perte in enumerate(pertes, start=1):
    if numero % 4 == 0:
        print(f"époque {numero:2d}  erreur quadratique (normalisée) {perte:.4f}")

prevision = modele.predict(X_test)
print(f"R² apprentissage : {r2_score(y_app, modele.predict(X_app)):.3f}")
print(f"R² test          : {r2_score(y_test, prevision):.3f}")
print(f"erreur absolue   : {mean_absolute_error(y_test, prevision):.3f}")
