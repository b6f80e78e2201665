# needs: skorch
# expect: nothing
# looks suspicious: many nets are trained and judged on overlapping folds; a rate of the grid learns badly.
"""GridSearchCV over a pipeline of scaler and net; no split of the net's own; the test rows come last."""

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn


class MLP(nn.Module):
    def __init__(self, hidden=16):
        super().__init__()
        self.fc1 = nn.Linear(13, hidden)
        self.fc2 = nn.Linear(hidden, 3)

    def forward(self, X):
        return self.fc2(torch.tanh(self.fc1(X)))


torch.manual_seed(7)
X, y = load_wine(return_X_y=True)
X, y = X.astype(np.float32), y.astype(np.int64)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=2)
net = NeuralNetClassifier(
    MLP,
    criterion=nn.CrossEntropyLoss,
    max_epochs=15,
    batch_size=16,
    train_split=None,
    iterator_train__shuffle=True,
    verbose=0,
)
search = GridSearchCV(
    make_pipeline(StandardScaler(), net),
    {"neuralnetclassifier__lr": [0.001, 0.1], "neuralnetclassifier__module__hidden": [8, 24]},
    cv=StratifiedKFold(3, shuffle=True, random_state=0),
    scoring="accuracy",
    refit=True,
)
search.fit(X_train, y_train)
print("best", search.best_params_, round(search.best_score_, 3))
print("test accuracy", round(search.score(X_test, y_test), 3))
