# needs: skorch
# expect: nothing
# looks suspicious: softmax at the end of the module (this library takes the log itself before NLLLoss), and
# the loop, the modes and the split are all out of sight.
import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import EpochScoring
from torch import nn

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X.astype("float32"), y.astype("int64"), stratify=y, random_state=0
)


class ClassifierModule(nn.Module):
    def __init__(self, num_units=24, nonlin=F.relu, dropout=0.2):
        super().__init__()
        self.nonlin = nonlin
        self.dense0 = nn.Linear(13, num_units)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(num_units, 3)

    def forward(self, X, **kwargs):
        X = self.dropout(self.nonlin(self.dense0(X)))
        return F.softmax(self.output(X), dim=-1)


net = NeuralNetClassifier(
    ClassifierModule,
    max_epochs=15,
    lr=0.1,
    batch_size=16,
    iterator_train__shuffle=True,
    callbacks=[("auc", EpochScoring("accuracy", name="train_acc", on_train=True))],
    verbose=0,
)
pipe = Pipeline([("scale", StandardScaler()), ("net", net)])
pipe.fit(X_train, y_train)
for row in net.history[::5]:
    print(f"epoch {row['epoch']} train {row['train_loss']:.4f} valid {row['valid_loss']:.4f}")
print("test accuracy", pipe.score(X_test, y_test))
