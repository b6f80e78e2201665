# expect: nothing
# needs: skorch
"""skorch in scikit-learn: a pipeline, a small grid search, a held-out score."""
import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

torch.manual_seed(0)

X, y = load_breast_cancer(return_X_y=True)
X, y = X.astype(np.float32), y.astype(np.int64)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)


class MyModule(nn.Module):
    def __init__(self, num_units=16, nonlin=nn.ReLU()):
        super().__init__()
        self.dense0 = nn.Linear(30, num_units)
        self.nonlin = nonlin
        self.dropout = nn.Dropout(0.2)
        self.output = nn.Linear(num_units, 2)

    def forward(self, X):
        X = self.dropout(self.nonlin(self.dense0(X)))
        return self.output(X)


net = NeuralNetClassifier(
    MyModule,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.01,
    max_epochs=10,
    batch_size=32,
    # shuffle the training data on each epoch
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)

pipe = Pipeline([
    ("scale", StandardScaler()),
    ("net", net),
])

params = {
    "net__lr": [0.003, 0.01],
    "net__module__num_units": [8, 24],
}
cv = StratifiedKFold(n_splits=3, shuffle=True, random_state=0)
gs = GridSearchCV(pipe, params, refit=True, cv=cv, scoring="accuracy")
gs.fit(X_train, y_train)

for setting, mean, std in zip(
        gs.cv_results_["params"], gs.cv_results_["mean_test_score"], gs.cv_results_["std_test_score"]):
    print(f"{mean:.4f} +/- {std:.4f}  {setting}")
print("best:", gs.best_params_)

proba = gs.predict_proba(X_test)
print(f"test accuracy {accuracy_score(y_test, proba.argmax(1)):.4f}  AUC {roc_auc_score(y_test, proba[:, 1]):.4f}")
