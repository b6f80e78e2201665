# expect: nothing
# Crête choisie sur la validation, puis nouvel ajustement sur apprentissage + validation avant le test
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(31)
images, chiffres = load_digits(return_X_y=True)

# lignes rangées classe après classe, puis une ligne sur cinq dans chaque part
rang = torch.tensor(chiffres).argsort(stable=True)
X = torch.tensor(images / 16.0, dtype=torch.float32)[rang]
y = torch.tensor(chiffres)[rang]
pli = torch.arange(len(y)) % 5
appr, valid, test = pli < 3, pli == 3, pli == 4


def journal(z):
    return z - torch.logsumexp(z, dim=1, keepdim=True)


def ajuster(X, y, crete, tours=6):
    W = torch.zeros(64, 10, requires_grad=True)
    b = torch.zeros(10, requires_grad=True)
    opt = torch.optim.LBFGS([W, b], max_iter=20, line_search_fn="strong_wolfe")

    def cloture():
        opt.zero_grad()
        perte = F.nll_loss(journal(X @ W + b), y) + crete * (W ** 2).sum()
        perte.backward()
        return perte

    for _ in range(tours):
        perte = opt.step(cloture)
    return W.detach(), b.detach(), perte.item()


def justesse(modele, X, y):
    W, b = modele[:2]
    return (journal(X @ W + b).argmax(1) == y).float().mean().item()


candidats = {}
for crete in (1e-1, 1e-2, 1e-3, 1e-4):
    modele = ajuster(X[appr], y[appr], crete)
    candidats[crete] = justesse(modele, X[valid], y[valid])
    print(f"crête {crete:g}: objectif {modele[2]:.4f}  validation {candidats[crete]:.3f}")

retenue = max(candidats, key=candidats.get)
assez = appr | valid
final = ajuster(X[assez], y[assez], retenue)
print(f"crête retenue {retenue:g}, test après nouvel ajustement {justesse(final, X[test], y[test]):.3f}")
