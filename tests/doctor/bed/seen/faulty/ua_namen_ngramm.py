# expect: params_not_in_optimizer @ 61
# allowed: params_not_in_optimizer @ 53
# allowed: params_not_in_optimizer @ 58
# allowed: params_not_in_optimizer @ 60
# allowed: params_not_in_optimizer @ 78
# Zeichenmodell nach Bengio (2003): die letzten 3 Buchstaben -> der nächste.
# Die "Namen" stammen aus einer zufälligen Silbengrammatik. Kein nn.Module.
import math
import random

import torch
import torch.nn.functional as F

random.seed(42)
gen = torch.Generator().manual_seed(42)

KONTEXT, EINBETTUNG, VERSTECKT = 3, 8, 64

anlaut = ["b", "d", "k", "l", "m", "n", "r", "s", "t", "sch", "br", "gr"]
kern = ["a", "e", "i", "o", "u", "ei", "au"]
auslaut = ["", "", "", "n", "r", "l", "s"]


def name():
    n = random.choice((2, 2, 3))
    return "".join(random.choice(anlaut) + random.choice(kern) + random.choice(auslaut) for _ in range(n))


namen = sorted({name() for _ in range(900)})   # Menge: jeder Name nur einmal
random.shuffle(namen)

zeichen = ["."] + sorted(set("".join(anlaut + kern + auslaut)))
nummer = {z: i for i, z in enumerate(zeichen)}
V = len(zeichen)


def datensatz(liste):
    X, Y = [], []
    for w in liste:
        fenster = [0] * KONTEXT
        for z in w + ".":
            X.append(fenster)
            Y.append(nummer[z])
            fenster = fenster[1:] + [nummer[z]]
    return torch.tensor(X), torch.tensor(Y)


n1, n2 = int(0.8 * len(namen)), int(0.9 * len(namen))
Xtr, Ytr = datensatz(namen[:n1])
Xva, Yva = datensatz(namen[n1:n2])
Xte, Yte = datensatz(namen[n2:])

C = torch.randn((V, EINBETTUNG), generator=gen) * 0.3
W1 = torch.randn((KONTEXT * EINBETTUNG, VERSTECKT), generator=gen) / math.sqrt(KONTEXT * EINBETTUNG)
b1 = torch.zeros(VERSTECKT)
W2 = torch.randn((VERSTECKT, V), generator=gen) * 0.1
b2 = torch.zeros(V)
for t in (C, W1, b1, W2, b2):
    t.requires_grad_()
schichten = [(W1, b1), (W2, b2)]
gewichte = [t for paar in schichten for t in paar]
print("Parameter:", sum(t.numel() for t in gewichte))


def logits(x):
    h = C[x].flatten(1)
    for W, b in schichten[:-1]:
        h = torch.tanh(h @ W + b)
    W, b = schichten[-1]
    return h @ W + b


@torch.no_grad()
def verlust(x, y):
    return F.cross_entropy(logits(x), y).item()


optimierer = torch.optim.AdamW(gewichte, lr=1e-2, weight_decay=1e-3)
SCHRITTE = 600
plan = torch.optim.lr_scheduler.OneCycleLR(optimierer, max_lr=1e-2, total_steps=SCHRITTE)

mittel = 0.0
for schritt in range(SCHRITTE):
    idx = torch.randint(0, len(Ytr), (128,), generator=gen)
    L = F.cross_entropy(logits(Xtr[idx]), Ytr[idx])
    optimierer.zero_grad(set_to_none=True)
    L.backward()
    optimierer.step()
    plan.step()
    mittel = L.item() if schritt == 0 else 0.98 * mittel + 0.02 * L.item()
    if schritt % 100 == 99:
        print(f"Schritt {schritt + 1}: Training ~{mittel:.3f}  Validierung {verlust(Xva, Yva):.3f}")

print(f"Test: {verlust(Xte, Yte):.3f} nats je Zeichen (gleichverteilt {math.log(V):.3f})")


@torch.no_grad()
def erfinde():
    fenster, wort = [0] * KONTEXT, ""
    while len(wort) < 15:
        p = F.softmax(logits(torch.tensor([fenster])), dim=1)
        k = torch.multinomial(p, 1, generator=gen).item()
        if k == 0:
            break
        wort += zeichen[k]
        fenster = fenster[1:] + [k]
    return wort


print("erfunden:", ", ".join(erfinde() for _ in range(6)))
