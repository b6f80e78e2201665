# needs: skorch
# expect: nothing
# looks suspicious: logits leave the module without a sigmoid (the library's criterion has it), and a minority
# of 12 % gets a weight.
"""NeuralNetBinaryClassifier with a weight for the rare class, judged by what does not reward the majority."""

import torch
from sklearn.datasets import make_classification
from sklearn.metrics import average_precision_score, balanced_accuracy_score
from sklearn.model_selection import train_test_split
from skorch import NeuralNetBinaryClassifier
from skorch.callbacks import EpochScoring
from torch import nn

torch.manual_seed(1)
X, y = make_classification(900, 12, n_informative=6, weights=[0.88], class_sep=1.2, random_state=5)
X, y = X.astype("float32"), y.astype("float32")
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)


class Binary(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(12, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.1), nn.Linear(width, 1)
        )

    def forward(self, X):
        return self.layers(X).squeeze(-1)


net = NeuralNetBinaryClassifier(
    Binary(),
    criterion__pos_weight=torch.tensor(7.0),
    optimizer=torch.optim.AdamW,
    optimizer__weight_decay=1e-3,
    lr=5e-3,
    batch_size=64,
    max_epochs=12,
    iterator_train__shuffle=True,
    iterator_train__drop_last=True,
    callbacks=[EpochScoring("balanced_accuracy", lower_is_better=False)],
    verbose=0,
)
net.fit(X_train, y_train)
for epoch, loss, score in net.history[:, ("epoch", "train_loss", "balanced_accuracy")][::4]:
    print(f"epoch {epoch} loss {loss:.4f} balanced {score:.3f}")
print("balanced accuracy", round(balanced_accuracy_score(y_test, net.predict(X_test)), 3))
print("average precision", round(average_precision_score(y_test, net.predict_proba(X_test)[:, 1]), 3))
