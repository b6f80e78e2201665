# expect: nll_without_log_softmax @ 19
# allowed: nll_without_log_softmax @ 57
# allowed: nll_without_log_softmax @ 61
# mend: 19 →     perte: str = "ce"
"""Trois petits réseaux comparés sur des mélanges gaussiens, descente écrite à la main."""
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

PERTES = {"nll": F.nll_loss, "ce": F.cross_entropy, "marge": F.multi_margin_loss}


@dataclass
class Reglages:
    graine: int = 2
    perte: str = "nll"
    pas: float = 0.02
    inertie: float = 0.9
    epoques: int = 15
    lot: int = 40
    largeurs: list = field(default_factory=lambda: [8, 32, 64])


def donnees(graine):
    X, y = make_classification(1600, 12, n_informative=8, n_redundant=2, n_classes=4,
                               n_clusters_per_class=1, class_sep=1.2, random_state=graine)
    Xe, Xt, ye, yt = train_test_split(X, y, test_size=0.3, stratify=y, random_state=graine)
    m, s = Xe.mean(0), Xe.std(0)
    conv = lambda a: torch.tensor((a - m) / s, dtype=torch.float32)
    return conv(Xe), torch.tensor(ye), conv(Xt), torch.tensor(yt)


class Reseau:
    def __init__(self, entree, largeur, classes):
        self.W = [torch.randn(entree, largeur) * (2 / entree) ** 0.5, torch.randn(largeur, classes) * (1 / largeur) ** 0.5]
        self.b = [torch.zeros(largeur), torch.zeros(classes)]
        self.p = [t.requires_grad_() for t in self.W + self.b]
        self.v = [torch.zeros_like(t) for t in self.p]

    def __call__(self, x):
        return torch.relu(x @ self.W[0] + self.b[0]) @ self.W[1] + self.b[1]

    def avancer(self, perte, r):
        grads = torch.autograd.grad(perte, self.p)
        total = torch.sqrt(sum((g ** 2).sum() for g in grads))
        facteur = min(1.0, 5.0 / (total.item() + 1e-8))
        with torch.no_grad():
            for t, v, g in zip(self.p, self.v, grads):
                v.mul_(r.inertie).add_(g, alpha=facteur)
                t -= r.pas * v


def entrainer(net, X, y, r):
    critere = PERTES[r.perte]
    for _ in range(r.epoques):
        somme = 0.0
        for i in torch.randperm(len(y)).split(r.lot):
            perte = critere(net(X[i]), y[i])
            net.avancer(perte, r)
            somme += perte.item() * len(i)
    return somme / len(y)


def justesse(net, X, y):
    with torch.no_grad():
        return (net(X).argmax(1) == y).float().mean().item()


if __name__ == "__main__":
    r = Reglages()
    torch.manual_seed(r.graine)
    Xe, ye, Xt, yt = donnees(r.graine)
    for largeur in r.largeurs:
        net = Reseau(Xe.shape[1], largeur, 4)
        fin = entrainer(net, Xe, ye, r)
        print(f"largeur {largeur:3d}  perte finale {fin:10.3f}  entraînement {justesse(net, Xe, ye):.3f}  test {justesse(net, Xt, yt):.3f}")
