# expect: nothing
# needs: skorch
import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

torch.manual_seed(0)

X, y = make_classification(1200, 20, n_informative=10, class_sep=1.2, random_state=0)
X, y = X.astype(np.float32), y.astype(np.int64)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)


class MyModule(nn.Module):
    def __init__(self, num_units=10, nonlin=nn.ReLU(), dropout=0.2):
        super().__init__()
        self.dense0 = nn.Linear(20, num_units)
        self.nonlin = nonlin
        self.dropout = nn.Dropout(dropout)
        self.dense1 = nn.Linear(num_units, num_units)
        self.output = nn.Linear(num_units, 2)

    def forward(self, X, **kwargs):
        X = self.nonlin(self.dense0(X))
        X = self.dropout(X)
        X = self.nonlin(self.dense1(X))
        return self.output(X)


net = NeuralNetClassifier(
    MyModule,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    max_epochs=10,
    lr=0.01,
    batch_size=64,
    # Shuffle training data on each epoch
    iterator_train__shuffle=True,
    # the grid search does its own splitting
    train_split=None,
    verbose=0,
)

pipe = Pipeline([
    ("scale", StandardScaler()),
    ("net", net),
])

params = {
    "net__lr": [0.003, 0.01],
    "net__module__num_units": [16, 48],
}
gs = GridSearchCV(pipe, params, refit=True, cv=3, scoring="accuracy", n_jobs=1)
gs.fit(X_train, y_train)

for score, p in zip(gs.cv_results_["mean_test_score"], gs.cv_results_["params"]):
    print(f"{score:.3f}  {p}")
print(f"best cv accuracy {gs.best_score_:.3f} with {gs.best_params_}")
print(f"held-out accuracy {accuracy_score(y_test, gs.predict(X_test)):.3f}")
