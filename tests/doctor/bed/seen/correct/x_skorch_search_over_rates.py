# needs: skorch
# expect: nothing
# looks suspicious: a search whose worst rates stand still or blow up, without a refit; its last nets are of
# the worst rate.
"""GridSearchCV over rates on purpose from far too low to far too high, for a table of what each does."""

import warnings

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

warnings.filterwarnings("ignore")


class Net(nn.Module):
    def __init__(self, hidden=16):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(13, hidden), nn.ReLU(), nn.Linear(hidden, 3))

    def forward(self, X):
        return self.layers(X)


torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
net = NeuralNetClassifier(
    Net,
    criterion=nn.CrossEntropyLoss,
    batch_size=16,
    max_epochs=6,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
search = GridSearchCV(
    make_pipeline(StandardScaler(), net),
    {"neuralnetclassifier__lr": [0.1, 10.0, 1e-6]},
    cv=StratifiedKFold(3, shuffle=True, random_state=0),
    refit=False,
)
search.fit(X.astype(np.float32), y)
for setting, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True):
    print(setting, round(score, 3))
