# expect: nothing
# needs: skorch
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

torch.manual_seed(0)
np.random.seed(0)

X, y = load_digits(return_X_y=True)
X, y = X.astype(np.float32), y.astype(np.int64)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=0)


class ClassifierModule(nn.Module):
    def __init__(self, num_units=32, dropout=0.2):
        super().__init__()
        self.hidden = nn.Linear(64, num_units)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(num_units, 10)

    def forward(self, X):
        return self.output(self.dropout(torch.relu(self.hidden(X))))


net = NeuralNetClassifier(
    ClassifierModule,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.01,
    max_epochs=8,
    batch_size=64,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
pipe = Pipeline([("scale", StandardScaler()), ("net", net)])

search = GridSearchCV(pipe, {"net__module__num_units": [32, 64]},
                      cv=3, scoring="accuracy", refit=True)
search.fit(X_train, y_train)
print("best params:", search.best_params_)
print(f"cv accuracy: {search.best_score_:.3f}")
print(f"test accuracy: {accuracy_score(y_test, search.predict(X_test)):.3f}")
