# expect: nothing
# needs: skorch
import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn


class WineModule(nn.Module):
    def __init__(self, num_units=24, dropout=0.2):
        super().__init__()
        self.dense0 = nn.Linear(13, num_units)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(num_units, 3)

    def forward(self, X):
        return self.output(self.dropout(torch.relu(self.dense0(X))))


torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X, y = X.astype(np.float32), y.astype(np.int64)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)

net = NeuralNetClassifier(
    WineModule,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.01,
    max_epochs=20,
    batch_size=16,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
pipe = Pipeline([("scale", StandardScaler()), ("net", net)])
pipe.fit(X_train, y_train)
print("train loss by epoch:", [round(v, 3) for v in pipe.named_steps["net"].history[:, "train_loss"][::5]])
print("train accuracy", round(pipe.score(X_train, y_train), 3))
print("test accuracy", round(pipe.score(X_test, y_test), 3))
