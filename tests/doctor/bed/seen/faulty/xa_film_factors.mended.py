# expect: nothing
"""Fattorizzazione di matrice per voti di film (dati sintetici)."""
import torch
from torch import nn


class Fattori(nn.Module):
    def __init__(self, utenti, film, k=4):
        super().__init__()
        self.p = nn.Embedding(utenti, k)
        self.q = nn.Embedding(film, k)
        self.bu = nn.Embedding(utenti, 1)
        self.bi = nn.Embedding(film, 1)
        for tavola in (self.p, self.q):
            nn.init.normal_(tavola.weight, std=0.3)
        for tavola in (self.bu, self.bi):
            nn.init.zeros_(tavola.weight)

    def forward(self, u, i):
        affinita = (self.p(u) * self.q(i)).sum(dim=-1)
        return affinita + self.bu(u).squeeze(-1) + self.bi(i).squeeze(-1)


def genera_voti(utenti=90, film=60, quanti=2700, k=4):
    """Coppie (utente, film) tutte diverse, con il loro voto."""
    g = torch.Generator().manual_seed(31)
    P = torch.randn(utenti, k, generator=g) * 0.6
    Q = torch.randn(film, k, generator=g) * 0.8
    bu = 0.4 * torch.randn(utenti, generator=g)
    bi = 0.5 * torch.randn(film, generator=g)
    celle = torch.randperm(utenti * film, generator=g)[:quanti]
    u, i = celle // film, celle % film
    voto = 3.2 + (P[u] * Q[i]).sum(1) + bu[u] + bi[i] + 0.3 * torch.randn(quanti, generator=g)
    return u, i, voto.clamp(0.5, 5.5)


def dividi(*colonne, quote=(0.7, 0.15, 0.15)):
    n = len(colonne[0])
    a = int(quote[0] * n)
    b = a + int(quote[1] * n)
    # le celle sono già state estratte in ordine casuale
    fette = (slice(0, a), slice(a, b), slice(b, n))
    return [tuple(c[f] for c in colonne) for f in fette]


def crea_ottimizzatore(modello, lr=1e-2, decadimento=1e-4):
    """Il decadimento tocca i fattori, non gli scarti (bias)."""
    fattori = [modello.p.weight, modello.q.weight]
    scarti = [modello.bu.weight, modello.bi.weight]
    return torch.optim.Adam(
        [
            {"params": fattori, "weight_decay": decadimento},
            {"params": scarti, "weight_decay": 0.0},
        ],
        lr=lr,
    )


def rmse(modello, media, u, i, voto):
    modello.eval()
    with torch.no_grad():
        stima = media + modello(u, i)
    return (stima - voto).pow(2).mean().sqrt().item()


def addestra(modello, dati, media, valida, epoche=24, lotto=128):
    ottimizzatore = crea_ottimizzatore(modello)
    u, i, voto = dati
    for epoca in range(1, epoche + 1):
        modello.train()
        for scelta in torch.randperm(len(voto)).split(lotto):
            errore = modello(u[scelta], i[scelta]) - (voto[scelta] - media)
            perdita = errore.square().mean()
            ottimizzatore.zero_grad()
            perdita.backward()
            ottimizzatore.step()
        if epoca % 6 == 0:
            norma = modello.p.weight.detach().norm(dim=1).mean().item()
            print(
                f"epoca {epoca:2d}  rmse addestramento {rmse(modello, media, *dati):.4f}"
                f"  validazione {valida(modello):.4f}  norma media dei fattori {norma:.3f}"
            )


torch.manual_seed(5)
train, val, test = dividi(*genera_voti())
media = train[2].mean()
modello = Fattori(utenti=90, film=60)
addestra(modello, train, media, valida=lambda m: rmse(m, media, *val))

banale = (test[2] - media).pow(2).mean().sqrt().item()
print(f"rmse di prova {rmse(modello, media, *test):.4f}  (sempre la media: {banale:.4f})")
