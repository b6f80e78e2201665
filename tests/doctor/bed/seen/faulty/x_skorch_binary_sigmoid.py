# needs: skorch
# expect: sigmoid_before_bce_with_logits @ 28
"""NeuralNetBinaryClassifier with a sigmoid at the end of the module; its criterion has one already."""

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetBinaryClassifier
from torch import nn

torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X.astype("float32"), y.astype("float32"), stratify=y, random_state=0
)


class Module(nn.Module):
    def __init__(self, hidden=20):
        super().__init__()
        self.fc1 = nn.Linear(30, hidden)
        self.fc2 = nn.Linear(hidden, 1)

    def forward(self, X):
        h = torch.relu(self.fc1(X))
        return torch.sigmoid(self.fc2(h)).squeeze(1)


pipe = Pipeline(
    [
        ("scale", StandardScaler()),
        ("net", NeuralNetBinaryClassifier(Module, lr=0.1, max_epochs=15, batch_size=32,
                                          iterator_train__shuffle=True, verbose=0)),
    ]
)  # fmt: skip
pipe.fit(X_train, y_train)
print("losses", [round(v, 4) for v in pipe["net"].history[::5, "train_loss"]])
print("accuracy", round(pipe.score(X_test, y_test), 3))
