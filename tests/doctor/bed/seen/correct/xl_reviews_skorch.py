# expect: nothing
# needs: skorch
# Sentiment of short generated reviews: text -> ids (sklearn transformer) -> GRU (skorch), with a grid search
import random

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from skorch import NeuralNetClassifier
from torch import nn

random.seed(0)
np.random.seed(0)
torch.manual_seed(0)

GOOD = "great lovely tasty friendly fresh superb".split()
BAD = "awful dirty bland rude stale terrible".split()
THINGS = "food service soup waiter table music wine bread room coffee".split()
JOIN = "and but with though while".split()


def review():
    label = random.randint(0, 1)
    parts = []
    for k in range(random.randint(2, 5)):
        word = random.choice(GOOD if label else BAD)
        if random.random() < 0.25:  # said with a 'not'
            word = "not " + random.choice(BAD if label else GOOD)
        parts.append(f"the {random.choice(THINGS)} was {word}")
    return f" {random.choice(JOIN)} ".join(parts), label


class ToSequence(TransformerMixin, BaseEstimator):
    """map words to ids, cut or pad on the left to max_len"""

    def __init__(self, max_len=30):
        self.max_len = max_len

    def fit(self, texts, y=None):
        words = sorted({w for t in texts for w in t.split()})
        self.vocab_ = {w: i + 2 for i, w in enumerate(words)}
        return self

    def transform(self, texts):
        out = np.zeros((len(texts), self.max_len), dtype=np.int64)
        for row, text in enumerate(texts):
            ids = [self.vocab_.get(w, 1) for w in text.split()][-self.max_len:]
            out[row, -len(ids):] = ids
        return out


class GRUClassifier(nn.Module):
    def __init__(self, vocab_size=80, embedding_dim=16, rec_units=16, dropout=0.1):
        super().__init__()
        self.emb = nn.Embedding(vocab_size, embedding_dim, padding_idx=0)
        self.rec = nn.GRU(embedding_dim, rec_units, batch_first=True)
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(rec_units, 2)

    def forward(self, X):
        states, _ = self.rec(self.emb(X))
        return self.out(self.drop(states[:, -1]))


pairs = list(dict(review() for _ in range(1400)).items())
texts = np.array([t for t, _ in pairs])
labels = np.array([y for _, y in pairs], dtype=np.int64)
X_train, X_test, y_train, y_test = train_test_split(texts, labels, test_size=0.25, stratify=labels, random_state=0)

net = NeuralNetClassifier(
    GRUClassifier,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.01,
    batch_size=32,
    max_epochs=5,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
pipe = Pipeline([("to_sequence", ToSequence()), ("net", net)])
search = GridSearchCV(pipe, {"net__module__rec_units": [8, 24]}, scoring="accuracy", cv=2, refit=True)
search.fit(X_train, y_train)

for params, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"]):
    print(f"cross-validated accuracy {score:.3f} with {params}")
print(f"test accuracy of the refitted best {accuracy_score(y_test, search.predict(X_test)):.3f}")
