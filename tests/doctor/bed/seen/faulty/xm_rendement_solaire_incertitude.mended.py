# expect: nothing
# Production d'un panneau solaire (W) : un réseau pour la moyenne, un autre pour l'écart-type.
import math

import torch
from torch import nn

torch.manual_seed(8)

N = 1500
EPOQUES = 60
TAILLE_LOT = 100


def simuler(n):
    ensoleillement = torch.rand(n) * 1000
    temperature = -5 + 45 * torch.rand(n)
    poussiere = torch.rand(n)
    rendement = 0.2 * (1 - 0.004 * (temperature - 25)) * (1 - 0.25 * poussiere)
    moyenne = 1.6 * ensoleillement * rendement
    bruit = 2 + 22 * (ensoleillement / 1000) ** 2
    puissance = moyenne + bruit * torch.randn(n)
    return torch.stack((ensoleillement, temperature, poussiere), 1), puissance[:, None]


def petit_reseau():
    return nn.Sequential(nn.Linear(3, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))


def vraisemblance(mu, log_s, y):
    return (log_s + 0.5 * ((y - mu) / log_s.exp()) ** 2 + 0.5 * math.log(2 * math.pi)).mean()


X, y = simuler(N)
X_a, X_t, y_a, y_t = X[:1100], X[1100:], y[:1100], y[1100:]
cx, ex, cy, ey = X_a.mean(0), X_a.std(0), y_a.mean(), y_a.std()
X_a, X_t = (X_a - cx) / ex, (X_t - cx) / ex
y_a, y_t = (y_a - cy) / ey, (y_t - cy) / ey

reseau_mu, reseau_sigma = petit_reseau(), petit_reseau()
optim_mu = torch.optim.Adam(reseau_mu.parameters(), lr=3e-3)
optim_sigma = torch.optim.Adam(reseau_sigma.parameters(), lr=3e-3)

for epoque in range(1, EPOQUES + 1):
    cumul = 0.0
    for lot in torch.randperm(len(X_a)).split(TAILLE_LOT):
        mu, log_s = reseau_mu(X_a[lot]), reseau_sigma(X_a[lot])
        perte = vraisemblance(mu, log_s, y_a[lot])
        optim_mu.zero_grad()
        optim_sigma.zero_grad()
        perte.backward()
        optim_mu.step()
        optim_sigma.step()
        cumul += perte.item() * len(lot)
    if epoque % 15 == 0:
        print(f"époque {epoque:3d} : log-vraisemblance négative {cumul / len(X_a):.3f}")

with torch.no_grad():
    mu, sigma = reseau_mu(X_t), reseau_sigma(X_t).exp()
    nll = vraisemblance(mu, sigma.log(), y_t).item()
    couverture = ((y_t - mu).abs() < 1.645 * sigma).float().mean().item()
print(f"test : NLL {nll:.3f}, erreur moyenne {((mu - y_t).abs().mean() * ey).item():.1f} W")
print(f"intervalle à 90 % : couvre {100 * couverture:.1f} % des mesures, "
      f"demi-largeur médiane {(1.645 * sigma * ey).median().item():.1f} W")
