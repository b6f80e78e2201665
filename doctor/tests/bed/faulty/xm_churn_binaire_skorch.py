# expect: sigmoid_before_bce_with_logits @ 41
# allowed: sigmoid_before_bce_with_logits @ 44
# needs: skorch
# mend: 41 →         return self.sortie(x).squeeze(-1)
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_classification
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetBinaryClassifier
from skorch.callbacks import EpochScoring

torch.manual_seed(4)
np.random.seed(4)

# Clients simulés : 12 indicateurs, part presque égale de départs
X, y = make_classification(n_samples=2000, n_features=12, n_informative=7, n_redundant=2,
                           class_sep=1.1, weights=[0.5], flip_y=0.02, random_state=4)
X_app, X_test, y_app, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=4)

normaliseur = StandardScaler()
X_app = normaliseur.fit_transform(X_app).astype(np.float32)
X_test = normaliseur.transform(X_test).astype(np.float32)
y_app = y_app.astype(np.float32)


class ReseauChurn(nn.Module):
    def __init__(self, entrees=12, caches=(48, 24)):
        super().__init__()
        couches, avant = [], entrees
        for taille in caches:
            couches += [nn.Linear(avant, taille), nn.ReLU()]
            avant = taille
        self.corps = nn.Sequential(*couches)
        self.sortie = nn.Linear(avant, 1)

    def forward(self, x):
        x = self.corps(x)
        return torch.sigmoid(self.sortie(x)).squeeze(-1)


net = NeuralNetBinaryClassifier(
    ReseauChurn,
    optimizer=torch.optim.Adam,
    lr=5e-3,
    batch_size=64,
    max_epochs=12,
    iterator_train__shuffle=True,
    callbacks=[("f1", EpochScoring("f1", lower_is_better=False, name="valid_f1"))],
    verbose=0,
)
net.fit(X_app, y_app)

for h in net.history[::3]:
    print(f"époque {h['epoch']:2d} | train {h['train_loss']:.4f} | valid {h['valid_loss']:.4f} "
          f"| acc {h['valid_acc']:.3f} | f1 {h['valid_f1']:.3f}")

proba = net.predict_proba(X_test)[:, 1]
pred = net.predict(X_test)
print(f"test : exactitude {accuracy_score(y_test, pred):.3f}, F1 {f1_score(y_test, pred):.3f}, "
      f"log-loss {log_loss(y_test, proba):.3f}, part prédite {pred.mean():.2f}")
