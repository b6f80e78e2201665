# expect: nothing
# needs: skorch
import numpy as np
import torch
from skorch import NeuralNetClassifier
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(0)


class MyModule(nn.Module):
    def __init__(self, num_units=16, nonlin=nn.ReLU(), dropout=0.2):
        super().__init__()
        self.dense0 = nn.Linear(30, num_units)
        self.nonlin = nonlin
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(num_units, 2)

    def forward(self, X):
        X = self.nonlin(self.dense0(X))
        X = self.dropout(X)
        return self.output(X)


X, y = load_breast_cancer(return_X_y=True)
X = X.astype(np.float32)
y = y.astype(np.int64)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)

net = NeuralNetClassifier(
    MyModule,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.01,
    max_epochs=9,
    batch_size=32,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)

pipe = Pipeline([("scale", StandardScaler()), ("net", net)])
params = {
    "net__module__num_units": [8, 24],
    "net__lr": [0.003, 0.01],
}
gs = GridSearchCV(pipe, params, refit=True, cv=3, scoring="roc_auc")
gs.fit(X_train, y_train)

for cfg, score in zip(gs.cv_results_["params"], gs.cv_results_["mean_test_score"]):
    print(f"{score:.4f}  {cfg}")
print("best (cv):", gs.best_params_, f"{gs.best_score_:.4f}")
print(f"held-out accuracy: {gs.best_estimator_.score(X_test, y_test):.4f}")
print(f"held-out roc auc:  {gs.score(X_test, y_test):.4f}")
