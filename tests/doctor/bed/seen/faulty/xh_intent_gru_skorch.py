# expect: lr_too_low @ 60
# needs: skorch
import numpy as np
import torch
from torch import nn
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier

np.random.seed(2)
torch.manual_seed(2)

templates = {
    "weather": ["will it rain in {c}", "how warm is {c} today", "is there snow near {c}"],
    "travel": ["book a train to {c}", "i need a flight from {c}", "how do i get to {c} today"],
    "food": ["find a good place to eat in {c}", "order pizza near {c}", "is there sushi in {c}"],
}
cities = ["paris", "lisbon", "oslo", "rome", "quito", "lima", "cairo", "delhi"]
polite = ["", "please", "hello", "well", "so"]

texts, labels = [], []
for _ in range(250):
    for k, intent in enumerate(templates):
        s = np.random.choice(templates[intent]).format(c=np.random.choice(cities))
        words = (np.random.choice(polite) + " " + s).split()
        if np.random.rand() < 0.3:
            words.pop(np.random.randint(len(words)))
        texts.append(words)
        labels.append(k)

words = sorted({w for t in texts for w in t})
index = {w: i + 1 for i, w in enumerate(words)}
MAXLEN = max(map(len, texts))
X = np.zeros((len(texts), MAXLEN), dtype=np.int64)
for i, t in enumerate(texts):
    X[i, MAXLEN - len(t):] = [index[w] for w in t]
y = np.array(labels, dtype=np.int64)

X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=2)


class IntentGRU(nn.Module):
    def __init__(self, n_words, emb=16, hidden=32, n_classes=3):
        super().__init__()
        self.emb = nn.Embedding(n_words + 1, emb, padding_idx=0)
        self.gru = nn.GRU(emb, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, n_classes)

    def forward(self, X):
        _, h = self.gru(self.emb(X))
        return self.fc(h[-1])


net = NeuralNetClassifier(
    IntentGRU,
    module__n_words=len(words),
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=1e-6,
    batch_size=32,
    max_epochs=10,
    iterator_train__shuffle=True,
)
net.fit(X_train, y_train)
print("test accuracy: %.3f" % accuracy_score(y_test, net.predict(X_test)))
