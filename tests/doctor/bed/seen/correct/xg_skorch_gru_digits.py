# expect: nothing
# needs: skorch
# Chiffres manuscrits lus ligne par ligne par une GRU, habillée par skorch dans un Pipeline sklearn
import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_digits
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import EpochScoring, GradientNormClipping, LRScheduler
from skorch.dataset import ValidSplit
from torch import nn

np.random.seed(0)
torch.manual_seed(0)


class EnSequence(BaseEstimator, TransformerMixin):
    """64 pixels -> 8 lignes de 8 pixels"""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X.reshape(-1, 8, 8).astype(np.float32)


class LecteurDeLignes(nn.Module):
    def __init__(self, caches=40, couches=1, abandon=0.2):
        super().__init__()
        self.gru = nn.GRU(8, caches, couches, batch_first=True, bidirectional=True)
        self.abandon = nn.Dropout(abandon)
        self.sortie = nn.Linear(2 * caches, 10)

    def forward(self, X):
        _, h = self.gru(X)
        return self.sortie(self.abandon(torch.cat([h[-2], h[-1]], dim=1)))


X, y = load_digits(return_X_y=True)
y = y.astype(np.int64)
X_app, X_test, y_app, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)

reseau = NeuralNetClassifier(
    LecteurDeLignes,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=8e-3,
    max_epochs=7,
    batch_size=32,
    iterator_train__shuffle=True,
    train_split=ValidSplit(0.15, stratified=True, random_state=0),
    callbacks=[
        ("pas", LRScheduler(policy=torch.optim.lr_scheduler.StepLR, step_size=4, gamma=0.4)),
        ("norme", GradientNormClipping(gradient_clip_value=1.0)),
        ("exact_app", EpochScoring("accuracy", on_train=True, name="train_acc", lower_is_better=False)),
    ],
    device="cpu",
    verbose=1,
)

chaine = Pipeline([("echelle", MinMaxScaler()), ("sequence", EnSequence()), ("reseau", reseau)])
chaine.fit(X_app, y_app)

print(classification_report(y_test, chaine.predict(X_test), digits=3))
print("exactitude test :", round(chaine.score(X_test, y_test), 4))
