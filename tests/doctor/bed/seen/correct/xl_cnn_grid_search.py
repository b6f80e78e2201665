# expect: nothing
# needs: skorch
"""skorch and sklearn together: pipeline, grid search over a small CNN, held-out test."""
import warnings

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch import NeuralNetClassifier
from skorch.callbacks import EarlyStopping, LRScheduler

warnings.filterwarnings("ignore", category=UserWarning)
torch.manual_seed(0)


class ClassifierModule(nn.Module):
    """Returns probabilities: NeuralNetClassifier takes their log for its NLLLoss."""

    def __init__(self, num_filters=8, hidden=32, dropout=0.2):
        super().__init__()
        self.conv = nn.Conv2d(1, num_filters, 3, padding=1)
        self.dense = nn.Linear(num_filters * 16, hidden)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, 10)

    def forward(self, X):
        X = F.max_pool2d(F.relu(self.conv(X)), 2)
        X = self.dropout(F.relu(self.dense(X.flatten(1))))
        return F.softmax(self.output(X), dim=-1)


def to_images(X):
    return (X / 16.0).astype(np.float32).reshape(-1, 1, 8, 8)


X, y = load_digits(return_X_y=True)
y = y.astype(np.int64)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y,
                                                    random_state=0)

net = NeuralNetClassifier(
    ClassifierModule,
    max_epochs=9,
    lr=1e-2,
    optimizer=torch.optim.Adam,
    batch_size=64,
    iterator_train__shuffle=True,
    callbacks=[
        ("early_stopping", EarlyStopping(monitor="valid_loss", patience=3)),
        ("lr_scheduler", LRScheduler(policy="StepLR", step_size=4, gamma=0.5)),
    ],
    verbose=0,
)

pipe = Pipeline([
    ("images", FunctionTransformer(to_images)),
    ("net", net),
])

params = {
    "net__module__num_filters": [4, 12],
    "net__module__dropout": [0.1],
}
gs = GridSearchCV(pipe, params, scoring="accuracy", refit=True,
                  cv=StratifiedKFold(n_splits=3, shuffle=True, random_state=0))
gs.fit(X_train, y_train)

for mean, std, p in zip(gs.cv_results_["mean_test_score"], gs.cv_results_["std_test_score"],
                        gs.cv_results_["params"]):
    print(f"{mean:.4f} +/- {std:.4f}  {p}")
print("best:", gs.best_params_)

best_net = gs.best_estimator_.named_steps["net"]
print("epochs of the refitted net:", len(best_net.history),
      f"valid_loss {best_net.history[-1, 'valid_loss']:.4f}")
pred = gs.predict(X_test)
print(f"test accuracy: {accuracy_score(y_test, pred):.4f}")
print(confusion_matrix(y_test, pred))
