# needs: skorch
# expect: nothing
"""A scikit-learn style classifier with skorch: the module of its readme, but another criterion."""

import torch
from sklearn.datasets import make_classification
from skorch import NeuralNetClassifier
from torch import nn

torch.manual_seed(0)
X, y = make_classification(500, 20, n_informative=10, random_state=0)
X, y = X.astype("float32"), y.astype("int64")


class MyModule(nn.Module):
    def __init__(self, num_units=10, nonlin=torch.relu):
        super().__init__()
        self.dense0 = nn.Linear(20, num_units)
        self.nonlin = nonlin
        self.dropout = nn.Dropout(0.1)
        self.dense1 = nn.Linear(num_units, num_units)
        self.output = nn.Linear(num_units, 2)

    def forward(self, X):
        X = self.nonlin(self.dense0(X))
        X = self.dropout(X)
        X = self.nonlin(self.dense1(X))
        return self.output(X)


net = NeuralNetClassifier(
    MyModule,
    max_epochs=8,
    lr=0.1,
    criterion=nn.CrossEntropyLoss,
    iterator_train__shuffle=True,
    verbose=0,
)
net.fit(X, y)
for row in net.history[:, ("epoch", "train_loss", "valid_loss", "valid_acc")]:
    print("epoch {} train {:.4f} valid {:.4f} accuracy {:.3f}".format(*row))
