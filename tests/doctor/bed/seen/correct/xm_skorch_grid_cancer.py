# expect: nothing
# needs: skorch
"""skorch: pipeline and grid search, in the way of the docs."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

torch.manual_seed(0)
np.random.seed(0)

X, y = load_breast_cancer(return_X_y=True)
X, y = X.astype(np.float32), y.astype(np.int64)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.3, stratify=y, random_state=0)


class MyModule(nn.Module):
    def __init__(self, num_units=10, nonlin=F.relu, dropout=0.2):
        super().__init__()
        self.num_units = num_units
        self.nonlin = nonlin
        self.dense0 = nn.Linear(30, num_units)
        self.dropout = nn.Dropout(dropout)
        self.dense1 = nn.Linear(num_units, num_units)
        self.output = nn.Linear(num_units, 2)

    def forward(self, X, **kwargs):
        X = self.nonlin(self.dense0(X))
        X = self.dropout(X)
        X = F.relu(self.dense1(X))
        return self.output(X)


net = NeuralNetClassifier(
    MyModule,
    criterion=nn.CrossEntropyLoss,
    max_epochs=8,
    lr=0.05,
    optimizer=torch.optim.SGD,
    optimizer__momentum=0.9,
    batch_size=32,
    iterator_train__shuffle=True,
    # grid search does the splitting
    train_split=False,
    verbose=0,
)

pipe = Pipeline([
    ("scale", StandardScaler()),
    ("net", net),
])
params = {
    "net__lr": [0.02, 0.1],
    "net__module__num_units": [10, 24],
}
gs = GridSearchCV(pipe, params, refit=True, scoring="balanced_accuracy",
                  cv=StratifiedKFold(3, shuffle=True, random_state=0))
gs.fit(X_train, y_train)

for m, p in zip(gs.cv_results_["mean_test_score"], gs.cv_results_["params"]):
    print(f"cv {m:.3f}  {p}")
print(f"best: {gs.best_score_:.3f} with {gs.best_params_}")
y_pred = gs.predict(X_test)
print(f"test balanced accuracy {balanced_accuracy_score(y_test, y_pred):.3f}  "
      f"AUC {roc_auc_score(y_test, gs.predict_proba(X_test)[:, 1]):.3f}")
