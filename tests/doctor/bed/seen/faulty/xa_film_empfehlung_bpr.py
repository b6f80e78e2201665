# expect: seed_reset_each_epoch @ 65
# allowed: seed_reset_each_epoch @ 67
# Empfehlungen mit impliziten Daten: Matrixfaktorisierung + BPR-Verlust
# funktional gehalten: Daten, Strom der Tripel, Verlust, Auswertung sind reine Funktionen
import torch
import torch.nn.functional as F

NUTZER, FILME, DIM = 150, 80, 12
SAAT = 33


def erzeuge_daten():
    g = torch.Generator().manual_seed(SAAT)
    geschmack = torch.randn(NUTZER, 4, generator=g)
    stil = torch.randn(FILME, 4, generator=g)
    punkte = geschmack @ stil.T + 0.5 * torch.randn(NUTZER, FILME, generator=g)
    gesehen = punkte.topk(20, dim=1).indices                      # 20 Filme je Nutzer
    misch = torch.rand(NUTZER, 20, generator=g).argsort(dim=1)
    gesehen = gesehen.gather(1, misch)
    return gesehen[:, :15], gesehen[:, 15:]                       # Training / zurückgehalten


def positive_paare(training):
    u = torch.arange(NUTZER).repeat_interleave(training.shape[1])
    return u, training.reshape(-1)


def tripel_strom(u, i, bekannt, stapel, gen):
    """(Nutzer, gesehener Film, nicht gesehener Film); zufällige Reihenfolge und Negative"""
    for idx in torch.randperm(len(u), generator=gen).split(stapel):
        gewichte = (~bekannt[u[idx]]).float()
        j = torch.multinomial(gewichte, 1, generator=gen).squeeze(1)
        yield u[idx], i[idx], j


def start_parameter():
    g = torch.Generator().manual_seed(SAAT + 1)
    P = 0.1 * torch.randn(NUTZER, DIM, generator=g)
    Q = 0.1 * torch.randn(FILME, DIM, generator=g)
    b = torch.zeros(FILME)
    return [p.requires_grad_() for p in (P, Q, b)]


def bpr(parameter, u, i, j, strafe=2e-3):
    P, Q, b = parameter
    abstand = (P[u] * (Q[i] - Q[j])).sum(1) + b[i] - b[j]
    regel = P[u].square().sum(1) + Q[i].square().sum(1) + Q[j].square().sum(1)
    return (F.softplus(-abstand) + strafe * regel).mean()


@torch.no_grad()
def trefferrate(parameter, bekannt, zurueck, k=10):
    P, Q, b = parameter
    punkte = (P @ Q.T + b).masked_fill(bekannt, float("-inf"))
    oben = punkte.topk(k, dim=1).indices
    treffer = (oben.unsqueeze(2) == zurueck.unsqueeze(1)).any(2).sum(1)
    return (treffer.float() / zurueck.shape[1]).mean().item()


def trainiere(parameter, training, epochen=25, stapel=150, rate=0.02):
    u, i = positive_paare(training)
    bekannt = torch.zeros(NUTZER, FILME, dtype=torch.bool).scatter_(1, training, True)
    opt = torch.optim.Adam(parameter, lr=rate)
    for e in range(1, epochen + 1):
        gen = torch.Generator().manual_seed(SAAT + 2)
        summe = 0.0
        for uu, ii, jj in tripel_strom(u, i, bekannt, stapel, gen):
            opt.zero_grad()
            verlust = bpr(parameter, uu, ii, jj)
            verlust.backward()
            opt.step()
            summe += verlust.item() * len(uu)
        if e % 5 == 0:
            print(f"Epoche {e:2d}  BPR-Verlust {summe / len(u):.4f}")
    return bekannt


training, zurueck = erzeuge_daten()
parameter = start_parameter()
bekannt = trainiere(parameter, training)
print(f"Recall@10 auf zurückgehaltenen Filmen: {trefferrate(parameter, bekannt, zurueck):.3f}"
      f"   (Zufall: {10 / (FILME - 15):.3f})")
