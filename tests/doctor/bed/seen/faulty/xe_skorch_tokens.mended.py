# expect: nothing
# needs: skorch
import numpy as np
import torch
from skorch import NeuralNetClassifier
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(2)
rng = np.random.RandomState(2)

# Token sequences: does the pair (a, then later b) occur, and in which order?
N, LEN, VOCAB = 1400, 8, 15
A, B = 1, 2
X = rng.randint(3, VOCAB, size=(N, LEN))
y = np.arange(N) % 2
for row, label in zip(X, y):
    i, j = np.sort(rng.choice(LEN, 2, replace=False))
    row[i], row[j] = (A, B) if label else (B, A)
X = X.astype("int64")
y = y.astype("int64")
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=300, stratify=y, random_state=0)


class TinyTransformer(nn.Module):
    def __init__(self, d=32, heads=4, depth=1):
        super().__init__()
        self.tok = nn.Embedding(VOCAB, d)
        self.pos = nn.Parameter(0.1 * torch.randn(1, LEN, d))
        layer = nn.TransformerEncoderLayer(d, heads, 64, dropout=0.0, batch_first=True)
        self.enc = nn.TransformerEncoder(layer, depth)
        self.head = nn.Linear(d, 2)

    def forward(self, x):
        h = self.enc(self.tok(x) + self.pos)
        return self.head(h.mean(1))


def build(epochs=8, lr=5e-3, **kw):
    return NeuralNetClassifier(
        TinyTransformer,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=lr,
        max_epochs=epochs,
        batch_size=64,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
        **kw,
    )


net = build()
net.fit(X_train, y_train)
for row in net.history:
    print("epoch {epoch:2d}  train loss {train_loss:.4f}".format(**row))

guess = net.predict(X_test)
print("test accuracy:", round(accuracy_score(y_test, guess), 4))
print(confusion_matrix(y_test, guess))
