# expect: sigmoid_before_bce_with_logits @ 53
# allowed: sigmoid_before_bce_with_logits @ 49
# allowed: sigmoid_before_bce_with_logits @ 64
# Détection de chutes à partir d'un accéléromètre porté au poignet (LSTM, 3 axes).
import numpy as np
import torch
import torch.nn as nn
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import train_test_split

graine = 5
np.random.seed(graine)
torch.manual_seed(graine)


def fabrique(n, T=40):
    """Moitié de fenêtres avec une chute (creux puis pic), moitié sans."""
    X = np.random.normal(0, 0.35, (n, T, 3))
    X[:, :, 2] += 1.0
    y = np.random.permutation(np.arange(n) % 2)
    for i in range(n):
        t0 = np.random.randint(5, T - 12)
        axe = np.random.randint(3)
        if y[i] == 1:
            X[i, t0:t0 + 4, 2] -= np.random.uniform(0.3, 0.9)
            X[i, t0 + 4:t0 + 6, axe] += np.random.uniform(0.6, 1.8)
        else:
            X[i, t0:t0 + 5, axe] += np.random.uniform(0.2, 1.0)
    return X.astype("float32"), y.astype("float32")


X, y = fabrique(2400)
X_app, X_test, y_app, y_test = train_test_split(X, y, test_size=0.25, random_state=graine, stratify=y)
mu, sigma = X_app.mean((0, 1)), X_app.std((0, 1))
X_app = torch.from_numpy((X_app - mu) / sigma)
X_test = torch.from_numpy((X_test - mu) / sigma)
y_app = torch.from_numpy(y_app)


class DetecteurChute(nn.Module):
    def __init__(self, n_axes=3, cachees=32):
        super().__init__()
        self.lstm = nn.LSTM(n_axes, cachees, batch_first=True, bidirectional=True)
        self.tete = nn.Linear(2 * cachees, 1)

    def forward(self, x):
        sortie, _ = self.lstm(x)
        resume = sortie.max(dim=1).values
        return torch.sigmoid(self.tete(resume)).squeeze(-1)


modele = DetecteurChute()
critere = nn.BCEWithLogitsLoss()
optimiseur = torch.optim.Adam(modele.parameters(), lr=4e-3)
planif = torch.optim.lr_scheduler.ExponentialLR(optimiseur, gamma=0.9)

taille = 64
for epoque in range(12):
    modele.train()
    ordre = torch.randperm(len(X_app))
    pertes = []
    for lot in ordre.split(taille):
        optimiseur.zero_grad()
        perte = critere(modele(X_app[lot]), y_app[lot])
        perte.backward()
        nn.utils.clip_grad_norm_(modele.parameters(), 1.0)
        optimiseur.step()
        pertes.append(perte.item())
    planif.step()
    print(f"époque {epoque + 1:2d}  perte {np.mean(pertes):.4f}  lr {planif.get_last_lr()[0]:.5f}")

modele.eval()
with torch.no_grad():
    proba = modele(X_test).numpy()

exact = ((proba > 0.5) == (y_test > 0.5)).mean()
print(f"test  exactitude {exact:.3f}  AUC {roc_auc_score(y_test, proba):.3f}  "
      f"Brier {brier_score_loss(y_test, proba):.4f}")
