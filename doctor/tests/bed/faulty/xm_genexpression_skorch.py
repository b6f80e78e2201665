# expect: scaler_leakage @ 33
# allowed: scaler_leakage @ 34
# needs: skorch
# mend: 33 →
# mend: 35 + X_train = auswahl.fit_transform(X_train, y_train)
# mend: 35 + X_test = auswahl.transform(X_test)
"""Kleines Netz auf Genexpressionsdaten: wenige Patienten, viele Gene."""
import numpy as np
import torch
from torch import nn
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier

SAAT = 11
torch.manual_seed(SAAT)
rng = np.random.default_rng(SAAT)

# --- Daten: 160 Patienten, 1000 Gene, acht davon tragen etwas Signal
n, p = 160, 1000
y = np.tile([0, 1], n // 2).astype(np.int64)
X = rng.normal(size=(n, p)).astype(np.float32)
X[:, :8] += 0.7 * y[:, None]
X = X * rng.uniform(0.5, 3.0, size=p).astype(np.float32)
idx = rng.permutation(n)
X, y = X[idx], y[idx]

# --- die 25 auffaelligsten Gene
auswahl = SelectKBest(f_classif, k=25)
X = auswahl.fit_transform(X, y)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.3, stratify=y, random_state=SAAT)
print("Form Training:", X_train.shape, "Form Test:", X_test.shape)


class Klassifikator(nn.Module):
    def __init__(self, n_gene=25, breite=16, p_drop=0.3):
        super().__init__()
        self.schichten = nn.Sequential(
            nn.Linear(n_gene, breite),
            nn.ReLU(),
            nn.Dropout(p_drop),
            nn.Linear(breite, 2),
        )

    def forward(self, x):
        return self.schichten(x)


netz = NeuralNetClassifier(
    Klassifikator,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=3e-3,
    optimizer__weight_decay=1e-3,
    max_epochs=25,
    batch_size=16,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
modell = make_pipeline(StandardScaler(), netz)
modell.fit(X_train, y_train)

for teil, a, b in (("Training", X_train, y_train), ("Test", X_test, y_test)):
    proba = modell.predict_proba(a)
    print(f"{teil:9s} BAcc={balanced_accuracy_score(b, modell.predict(a)):.3f} "
          f"AUC={roc_auc_score(b, proba[:, 1]):.3f}")
