# expect: nothing
# needs: torch>=2.0
"""Régression non linéaire avec torch.func : paramètres dans un dictionnaire."""
import torch
from torch import nn
from torch.func import functional_call, grad_and_value


def donnees(n, gen):
    x = 4 * torch.rand(n, 2, generator=gen) - 2
    y = torch.sin(2 * x[:, :1]) + 0.5 * x[:, 1:] ** 2 + 0.1 * torch.randn(n, 1, generator=gen)
    return x, y


def faire_pas(modele, taux, inertie):
    def cout(params, x, y):
        return nn.functional.mse_loss(functional_call(modele, params, (x,)), y)

    derivee = grad_and_value(cout)

    def pas(params, vitesse, x, y):
        g, valeur = derivee(params, x, y)
        vitesse = {k: inertie * vitesse[k] + g[k] for k in g}
        params = {k: params[k] - taux * vitesse[k] for k in params}
        return params, vitesse, valeur.item()

    return pas, cout


def main():
    torch.manual_seed(9)
    gen = torch.Generator().manual_seed(9)
    x_app, y_app = donnees(600, gen)
    x_tst, y_tst = donnees(300, gen)
    modele = nn.Sequential(nn.Linear(2, 48), nn.Tanh(), nn.Linear(48, 1))
    params = {k: p.detach().clone() for k, p in modele.named_parameters()}
    vitesse = {k: torch.zeros_like(p) for k, p in params.items()}
    pas, cout = faire_pas(modele, taux=0.05, inertie=0.9)
    for epoque in range(1, 41):
        total = 0.0
        for idx in torch.randperm(len(x_app)).split(60):
            params, vitesse, valeur = pas(params, vitesse, x_app[idx], y_app[idx])
            total += valeur * len(idx)
        if epoque % 10 == 0:
            print(f"époque {epoque}: perte {total / len(x_app):.4f}")
    with torch.no_grad():
        print(f"EQM test {cout(params, x_tst, y_tst).item():.4f}  variance {y_tst.var().item():.4f}")


main()
