# needs: skorch
# expect: nothing
# looks suspicious: rows sorted by class and neither scaled by hand nor shuffled by the loader; bagging draws
# rows twice; nets judged on rows that others were trained on.
"""Cross-validation of a pipeline on wine as it is given, then a bag of nets."""

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn


class Net(nn.Module):
    def __init__(self, hidden=16, dropout=0.1):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(13, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, 3)
        )

    def forward(self, X):
        return self.layers(X.float()).softmax(dim=-1)


torch.manual_seed(0)
np.random.seed(0)
X, y = load_wine(return_X_y=True)
X = X.astype(np.float32)
net = NeuralNetClassifier(Net, max_epochs=25, lr=0.1, batch_size=128, train_split=None, verbose=0)
folds = StratifiedKFold(4, shuffle=True, random_state=0)
scores = cross_val_score(make_pipeline(StandardScaler(), net), X, y, cv=folds)
print("cross-validated", scores.round(3).tolist())

X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=1)
scaler = StandardScaler().fit(X_train)
bag = BaggingClassifier(net, n_estimators=3, random_state=0)
bag.fit(scaler.transform(X_train), y_train)
print("bag", round(bag.score(scaler.transform(X_test), y_test), 3))
