# expect: nothing
# needs: skorch
import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)


class ClassifierModule(nn.Module):
    def __init__(self, num_units=20, nonlin=nn.ReLU(), dropout=0.2):
        super().__init__()
        self.dense0 = nn.Linear(20, num_units)
        self.nonlin = nonlin
        self.dropout = nn.Dropout(dropout)
        self.dense1 = nn.Linear(num_units, num_units)
        self.output = nn.Linear(num_units, 2)

    def forward(self, X):
        X = self.nonlin(self.dense0(X))
        X = self.dropout(X)
        X = self.nonlin(self.dense1(X))
        return self.output(X)


X, y = make_classification(1000, 20, n_informative=10, random_state=0)
X = X.astype(np.float32)
y = y.astype(np.int64)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)

net = NeuralNetClassifier(
    ClassifierModule,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    max_epochs=10,
    lr=0.01,
    batch_size=64,
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
    "net__module__num_units": [16, 48],
}
gs = GridSearchCV(pipe, params, refit=True, cv=3, scoring="accuracy", verbose=0)
gs.fit(X_train, y_train)

for mean, std, setting in zip(gs.cv_results_["mean_test_score"], gs.cv_results_["std_test_score"],
                              gs.cv_results_["params"]):
    print(f"{mean:.3f} +- {std:.3f}  {setting}")
print("best cross-validation score", round(gs.best_score_, 3), gs.best_params_)
print("accuracy on the held-out part", round(gs.score(X_test, y_test), 3))
