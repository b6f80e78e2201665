# expect: nothing
# needs: skorch
"""Grid search over a small convnet with skorch; the last figure is on rows the search never saw."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from skorch import NeuralNetClassifier
from torch import nn

torch.manual_seed(0)
np.random.seed(0)


class ClassifierModule(nn.Module):
    def __init__(self, width=8, dropout=0.2):
        super().__init__()
        self.conv = nn.Conv2d(1, width, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(width * 16, 64)
        self.output = nn.Linear(64, 10)

    def forward(self, X):
        X = self.pool(torch.relu(self.conv(X)))
        X = torch.relu(self.hidden(self.dropout(X.flatten(1))))
        return self.output(X)


digits = load_digits()
X = (digits.images[:, None] / 16.0).astype(np.float32)
y = digits.target.astype(np.int64)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)

net = NeuralNetClassifier(
    ClassifierModule,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=5e-3,
    max_epochs=5,
    batch_size=64,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)

params = {"module__width": [8, 16], "module__dropout": [0.0, 0.2]}
cv = StratifiedKFold(n_splits=3, shuffle=True, random_state=0)
search = GridSearchCV(net, params, cv=cv, scoring="accuracy", refit=True)
search.fit(X_train, y_train)

for p, m in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"]):
    print(p, f"cv accuracy {m:.4f}")
print("best:", search.best_params_)
print(f"held-out accuracy: {accuracy_score(y_test, search.predict(X_test)):.4f}")
