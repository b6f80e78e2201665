# expect: nothing
# needs: skorch
"""Tumorart aus Genexpression vorhersagen (simuliert: 4000 Gene, wenige Proben).

Aus den vielen Genen werden die 40 auffälligsten genommen, danach ein kleines
Netz mit skorch angepasst.
"""
import numpy as np
import torch
from skorch import NeuralNetClassifier
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

ZUFALL = 8
ANZAHL_GENE = 4000
PROBEN = 160

torch.manual_seed(ZUFALL)
rng = np.random.default_rng(ZUFALL)

# Simulierte Messwerte: nur zwölf Gene hängen schwach mit der Art zusammen
art = np.repeat([0, 1], PROBEN // 2)
werte = rng.normal(7.0, 1.5, size=(PROBEN, ANZAHL_GENE))
wichtig = rng.choice(ANZAHL_GENE, 12, replace=False)
werte[:, wichtig] += 1.3 * art[:, None]


class GenNetz(nn.Module):
    def __init__(self, eingang=40, breite=16):
        super().__init__()
        self.schichten = nn.Sequential(
            nn.Linear(eingang, breite), nn.ReLU(), nn.Dropout(0.3), nn.Linear(breite, 2))

    def forward(self, x):
        return self.schichten(x)


auswahl = SelectKBest(f_classif, k=40)
X_lern, X_test, y_lern, y_test = train_test_split(
    werte, art, test_size=0.35, stratify=art, random_state=ZUFALL)
X_lern = auswahl.fit_transform(X_lern, y_lern)
X_test = auswahl.transform(X_test)

skalierer = StandardScaler().fit(X_lern)
X_lern = skalierer.transform(X_lern).astype(np.float32)
X_test = skalierer.transform(X_test).astype(np.float32)

netz = NeuralNetClassifier(
    GenNetz,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    optimizer__weight_decay=1e-2,
    lr=5e-3,
    max_epochs=20,
    batch_size=16,
    train_split=None,
    iterator_train__shuffle=True,
    verbose=0,
)
netz.fit(X_lern, y_lern)

gefunden = np.isin(np.sort(wichtig), np.flatnonzero(auswahl.get_support())).sum()
print(f"echte Gene in der Auswahl: {gefunden} von {len(wichtig)}")
vorhersage = netz.predict(X_test)
print(f"Lernproben: {accuracy_score(y_lern, netz.predict(X_lern)):.3f}")
print(f"Testproben: {accuracy_score(y_test, vorhersage):.3f}")
print(confusion_matrix(y_test, vorhersage))
