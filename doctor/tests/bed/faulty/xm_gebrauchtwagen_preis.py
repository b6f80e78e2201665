# expect: lr_too_high @ 53
# needs: skorch
# mend: 53 →     lr=0.003,
# Preise gebrauchter Autos schätzen: skorch-Regressor in einer sklearn-Pipeline.
import numpy as np
import torch
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetRegressor
from torch import nn

torch.manual_seed(5)
rng = np.random.default_rng(5)


def autos_erzeugen(n):
    alter = rng.uniform(0, 18, n)
    km = np.clip(alter * rng.normal(13, 4, n), 0, None)
    ps = rng.uniform(55, 260, n)
    verbrauch = 3.5 + ps / 40 + rng.normal(0, 0.5, n)
    automatik = rng.integers(0, 2, n)
    neupreis = 9000 + 130 * ps + 1800 * automatik
    preis = neupreis * np.exp(-0.11 * alter - 0.0015 * km) + rng.normal(0, 500, n)
    X = np.stack([alter, km, ps, verbrauch, automatik], axis=1)
    return X.astype(np.float32), preis.astype(np.float32).reshape(-1, 1)


class Preisnetz(nn.Module):
    def __init__(self, breite=48):
        super().__init__()
        self.netz = nn.Sequential(
            nn.Linear(5, breite),
            nn.ReLU(),
            nn.Linear(breite, breite),
            nn.ReLU(),
            nn.Linear(breite, 1),
        )

    def forward(self, x):
        return self.netz(x)


X, y = autos_erzeugen(2000)
X_lern, X_test, y_lern, y_test = train_test_split(X, y, test_size=0.25, random_state=0)

regressor = NeuralNetRegressor(
    Preisnetz,
    criterion=nn.MSELoss,
    optimizer=torch.optim.Adam,
    lr=1.0,
    max_epochs=20,
    batch_size=64,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
modell = TransformedTargetRegressor(
    regressor=make_pipeline(StandardScaler(), regressor),
    transformer=StandardScaler(),
    check_inverse=False,
)
modell.fit(X_lern, y_lern)

verlauf = modell.regressor_[-1].history
for zeile in verlauf[3::4]:
    print(f"Epoche {zeile['epoch']:2d}  Training {zeile['train_loss']:.4f}")

schaetzung = modell.predict(X_test).reshape(-1)
wahr = y_test.reshape(-1)
print(f"Test: MAE {mean_absolute_error(wahr, schaetzung):.0f} EUR, R2 {r2_score(wahr, schaetzung):.3f}")
