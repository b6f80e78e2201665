# expect: nothing
"""Triage of support tickets (urgent or not) from word counts: tf-idf, the best words, a small MLP.

Few labelled tickets, many words -> words are ranked by chi2 and only the top ones are kept.
"""
import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from torch import nn

SEED = 17
rng = np.random.default_rng(SEED)
torch.manual_seed(SEED)


def write_tickets(n, vocabulary=3000, telling=12, length=45):
    """Only a dozen words tell anything; all others are chatter."""
    urgent = rng.integers(0, 2, n)
    texts = []
    for u in urgent:
        words = [f"w{i}" for i in rng.integers(telling, vocabulary, length)]
        if rng.random() < 0.5:
            half = telling // 2
            words += [f"w{i}" for i in rng.integers(0, half, 1) + u * half]
        rng.shuffle(words)
        texts.append(" ".join(words))
    return np.array(texts), urgent


def vectorise(texts, labels, k=150):
    pipe = make_pipeline(TfidfVectorizer(), SelectKBest(chi2, k=k))
    pipe.fit(texts, labels)
    return pipe


def to_tensor(matrix):
    return torch.tensor(matrix.toarray(), dtype=torch.float32)


class Triage(nn.Module):
    def __init__(self, words):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(words, 32), nn.ReLU(), nn.Dropout(0.4), nn.Linear(32, 1))

    def forward(self, x):
        return self.net(x).squeeze(1)


texts, urgent = write_tickets(360)
train_rows, test_rows = train_test_split(np.arange(len(texts)), test_size=0.33, stratify=urgent, random_state=SEED)

pipe = vectorise(texts[train_rows], urgent[train_rows])
x_train = to_tensor(pipe.transform(texts[train_rows]))
x_test = to_tensor(pipe.transform(texts[test_rows]))
mu, sd = x_train.mean(0), x_train.std(0).clamp_min(1e-3)
x_train, x_test = (x_train - mu) / sd, (x_test - mu) / sd
y_train = torch.tensor(urgent[train_rows], dtype=torch.float32)
y_test = torch.tensor(urgent[test_rows], dtype=torch.float32)

model = Triage(x_train.shape[1])
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.02)

for epoch in range(20):
    model.train()
    epoch_loss = 0.0
    for rows in torch.randperm(len(x_train)).split(24):
        optimizer.zero_grad()
        loss = criterion(model(x_train[rows]), y_train[rows])
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item() * len(rows)
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1:2d}  loss {epoch_loss / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    hits = (model(x_test) > 0).float() == y_test
print(f"accuracy on {len(hits)} test tickets: {hits.float().mean().item():.3f}")
