# expect: nothing
# needs: skorch
# Neural net inside a scikit-learn pipeline, tuned with a small grid search
import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

torch.manual_seed(0)
np.random.seed(0)

X, y = make_classification(1000, 20, n_informative=10, class_sep=1.2, random_state=0)
X, y = X.astype(np.float32), y.astype(np.int64)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)


class MyModule(nn.Module):
    def __init__(self, num_units=10, dropout=0.2):
        super().__init__()
        self.dense0 = nn.Linear(20, num_units)
        self.nonlin = nn.ReLU()
        self.dropout = nn.Dropout(dropout)
        self.dense1 = nn.Linear(num_units, num_units)
        self.output = nn.Linear(num_units, 2)

    def forward(self, X):
        X = self.nonlin(self.dense0(X))
        X = self.dropout(X)
        X = self.nonlin(self.dense1(X))
        return self.output(X)


net = NeuralNetClassifier(
    MyModule,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    max_epochs=12,
    lr=0.01,
    batch_size=64,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)

pipe = Pipeline([("scale", StandardScaler()), ("net", net)])
params = {
    "net__module__num_units": [16, 48],
    "net__module__dropout": [0.0, 0.3],
}
gs = GridSearchCV(pipe, params, refit=True, cv=3, scoring="accuracy")
gs.fit(X_train, y_train)

for mean, p in zip(gs.cv_results_["mean_test_score"], gs.cv_results_["params"]):
    print(f"{mean:.3f}  units={p['net__module__num_units']} dropout={p['net__module__dropout']}")
print("best params:", gs.best_params_)
history = gs.best_estimator_.named_steps["net"].history
print("train loss :", [round(v, 3) for v in history[:, "train_loss"]][::3])
print(f"test accuracy: {gs.score(X_test, y_test):.3f}")
