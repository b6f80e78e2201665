# expect: nothing
"""Modèle de Cox neuronal (risque non linéaire) sur une cohorte simulée."""
import numpy as np
import torch
from torch import nn

torch.manual_seed(42)
gen = np.random.default_rng(42)


def simuler_cohorte(n=1500, d=6):
    x = gen.normal(size=(n, d)).astype(np.float32)
    risque = 1.1 * np.abs(x[:, 0]) + 1.0 * x[:, 1] * (x[:, 2] > 0) - 0.8 * np.maximum(x[:, 3], 0)
    temps_evt = gen.exponential(np.exp(-1.5 * risque))
    temps_cens = gen.exponential(3.0 * np.median(temps_evt), size=n)
    duree = np.minimum(temps_evt, temps_cens)
    evenement = (temps_evt <= temps_cens).astype(np.float32)
    return torch.from_numpy(x), torch.from_numpy(duree), torch.from_numpy(evenement)


class RisqueCox(nn.Module):
    def __init__(self, d, cache=32):
        super().__init__()
        self.couches = nn.Sequential(
            nn.Linear(d, cache),
            nn.ReLU(),
            nn.Linear(cache, 1, bias=False),
        )
        self.apply(self._initialiser)

    @staticmethod
    def _initialiser(module):
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(self, x):
        return self.couches(x).squeeze(-1)


def perte_cox(log_risque, duree, evenement):
    ordre = torch.argsort(duree, descending=True)
    log_risque, evenement = log_risque[ordre], evenement[ordre]
    log_somme = torch.logcumsumexp(log_risque, dim=0)
    return -((log_risque - log_somme) * evenement).sum() / evenement.sum().clamp(min=1)


def indice_c(log_risque, duree, evenement):
    plus_tot = duree[:, None] < duree[None, :]
    comparables = plus_tot & (evenement[:, None] > 0)
    concordants = log_risque[:, None] > log_risque[None, :]
    return (concordants & comparables).sum().item() / comparables.sum().item()


x, duree, evenement = simuler_cohorte()
n_app = 1000
app, test = slice(0, n_app), slice(n_app, None)

modele = RisqueCox(x.shape[1])
optimiseur = torch.optim.Adam(modele.parameters(), lr=0.01, weight_decay=1e-3)

for epoque in range(1, 41):
    modele.train()
    cumul = 0.0
    for lot in torch.randperm(n_app).split(200):
        perte = perte_cox(modele(x[lot]), duree[lot], evenement[lot])
        optimiseur.zero_grad()
        perte.backward()
        optimiseur.step()
        cumul += perte.item()
    if epoque % 8 == 0:
        print(f"époque {epoque:3d} - vraisemblance partielle négative {cumul / 5:.4f}")

modele.eval()
with torch.no_grad():
    c_app = indice_c(modele(x[app]), duree[app], evenement[app])
    c_test = indice_c(modele(x[test]), duree[test], evenement[test])
print(f"part d'événements observés : {evenement.mean():.2f}")
print(f"indice C apprentissage {c_app:.3f} | test {c_test:.3f}")
