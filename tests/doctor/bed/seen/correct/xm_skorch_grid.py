# expect: nothing
# needs: skorch
"""skorch inside an sklearn pipeline: grid search with cross-validation, one final test."""
import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.metrics import classification_report
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

torch.manual_seed(0)

X, y = make_classification(900, 20, n_informative=10, n_redundant=2, class_sep=1.2, random_state=0)
X, y = X.astype(np.float32), y.astype(np.int64)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)


class ClassifierModule(nn.Module):
    def __init__(self, num_units=10, nonlin=nn.ReLU(), dropout=0.1):
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


net = NeuralNetClassifier(
    ClassifierModule,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    max_epochs=12,
    lr=0.01,
    batch_size=32,
    train_split=None,
    iterator_train__shuffle=True,
    verbose=0,
)

pipe = Pipeline([
    ("scale", StandardScaler()),
    ("net", net),
])

params = {
    "net__lr": [0.005, 0.01],
    "net__module__num_units": [16, 32],
}
gs = GridSearchCV(pipe, params, refit=True, scoring="accuracy",
                  cv=StratifiedKFold(3, shuffle=True, random_state=0))
gs.fit(X_train, y_train)

for setting, score in zip(gs.cv_results_["params"], gs.cv_results_["mean_test_score"]):
    print(f"{score:.3f}  {setting}")
print(f"best cross-validation accuracy: {gs.best_score_:.3f} with {gs.best_params_}")
print(f"held-out accuracy: {gs.score(X_test, y_test):.3f}")
print(classification_report(y_test, gs.predict(X_test), digits=3))
