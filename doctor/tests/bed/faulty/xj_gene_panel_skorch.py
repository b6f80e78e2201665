# expect: scaler_leakage @ 44
# allowed: scaler_leakage @ 45
# needs: skorch
# mend: 44 →
# mend: 46 + X_train = selector.fit_transform(X_train, y_train)
# mend: 46 + X_test = selector.transform(X_test)
import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import EpochScoring

SEED = 21
K_GENES = 20

torch.manual_seed(SEED)

# small cohort, many expression values
X, y = make_classification(n_samples=400, n_features=3000, n_informative=6,
                           n_redundant=0, n_clusters_per_class=1, class_sep=0.5,
                           random_state=SEED)
X = X.astype(np.float32)
y = y.astype(np.int64)


class PanelNet(torch.nn.Module):
    def __init__(self, n_in=K_GENES, hidden=8, p=0.3):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(n_in, hidden),
            torch.nn.ReLU(),
            torch.nn.Dropout(p),
            torch.nn.Linear(hidden, 2),
        )

    def forward(self, x):
        return self.layers(x)


selector = SelectKBest(f_classif, k=K_GENES)
X = selector.fit_transform(X, y)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.3, stratify=y, random_state=SEED)

scaler = StandardScaler().fit(X_train)
X_train = scaler.transform(X_train).astype(np.float32)
X_test = scaler.transform(X_test).astype(np.float32)

net = NeuralNetClassifier(
    PanelNet,
    criterion=torch.nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=5e-3,
    optimizer__weight_decay=1e-3,
    batch_size=32,
    max_epochs=15,
    iterator_train__shuffle=True,
    train_split=None,
    callbacks=[("train_acc", EpochScoring("accuracy", on_train=True, name="train_acc",
                                          lower_is_better=False))],
    verbose=0,
)
net.fit(X_train, y_train)

print("epochs:", len(net.history))
print("train loss: %.4f  train acc: %.4f" % (net.history[-1, "train_loss"],
                                             net.history[-1, "train_acc"]))
print("test acc: %.4f" % net.score(X_test, y_test))
