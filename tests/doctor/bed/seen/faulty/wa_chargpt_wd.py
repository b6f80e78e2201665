# expect: weight_decay_too_high @ 23
# allowed: weight_decay_too_high @ 90
# Ein kleines Zeichen-Transformer-Modell, das einfache Additionen fortsetzt: "34+58=092"
import math
from dataclasses import asdict, dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F

ZEICHEN = "0123456789+="
ZU_ID = {c: i for i, c in enumerate(ZEICHEN)}


@dataclass
class Konfig:
    breite: int = 48
    koepfe: int = 4
    schichten: int = 2
    block: int = 8
    lernrate: float = 4e-3
    aufwaermen: int = 20
    gewichtsabnahme: float = 0.1
    schritte: int = 260
    stapel: int = 128


class Block(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(k.breite), nn.LayerNorm(k.breite)
        self.qkv = nn.Linear(k.breite, 3 * k.breite)
        self.proj = nn.Linear(k.breite, k.breite)
        self.mlp = nn.Sequential(nn.Linear(k.breite, 4 * k.breite), nn.GELU(), nn.Linear(4 * k.breite, k.breite))
        self.koepfe = k.koepfe

    def forward(self, x):
        B, T, C = x.shape
        q, s, v = (t.view(B, T, self.koepfe, -1).transpose(1, 2) for t in self.qkv(self.ln1(x)).chunk(3, dim=-1))
        a = F.scaled_dot_product_attention(q, s, v, is_causal=True)
        x = x + self.proj(a.transpose(1, 2).reshape(B, T, C))
        return x + self.mlp(self.ln2(x))


class Rechner(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.emb = nn.Embedding(len(ZEICHEN), k.breite)
        self.pos = nn.Embedding(k.block, k.breite)
        self.bloecke = nn.Sequential(*[Block(k) for _ in range(k.schichten)])
        self.ln = nn.LayerNorm(k.breite)
        self.kopf = nn.Linear(k.breite, len(ZEICHEN))

    def forward(self, ids):
        x = self.emb(ids) + self.pos(torch.arange(ids.size(1)))
        return self.kopf(self.ln(self.bloecke(x)))


def aufgaben():
    """Alle Paare (a, b) genau einmal; die Summe steht rueckwaerts, das lernt sich leichter."""
    zeilen = [f"{a:02d}+{b:02d}={str(a + b).zfill(3)[::-1]}" for a in range(100) for b in range(100)]
    return torch.tensor([[ZU_ID[c] for c in z] for z in zeilen])


def verlust(modell, zeilen):
    # nur die drei Ziffern der Summe zaehlen
    logits = modell(zeilen[:, :-1])[:, -3:]
    return F.cross_entropy(logits.reshape(-1, len(ZEICHEN)), zeilen[:, -3:].reshape(-1))


@torch.no_grad()
def treffer(modell, zeilen):
    modell.eval()
    ids = zeilen[:, :6]
    for _ in range(3):
        ids = torch.cat([ids, modell(ids)[:, -1].argmax(-1, keepdim=True)], dim=1)
    modell.train()
    stimmt = ids[:, 6:] == zeilen[:, 6:]
    return stimmt.float().mean().item(), stimmt.all(dim=1).float().mean().item()


def main():
    torch.manual_seed(17)
    k = Konfig()
    print(asdict(k))
    daten = aufgaben()
    daten = daten[torch.randperm(len(daten))]
    lern, test = daten[:9500], daten[9500:]
    modell = Rechner(k)
    opt = torch.optim.Adam(modell.parameters(), lr=k.lernrate, weight_decay=k.gewichtsabnahme)
    plan = torch.optim.lr_scheduler.LambdaLR(
        opt, lambda n: min((n + 1) / k.aufwaermen, 0.5 * (1 + math.cos(math.pi * n / k.schritte))))
    modell.train()
    mittel = 0.0
    for schritt in range(1, k.schritte + 1):
        zeilen = lern[torch.randint(len(lern), (k.stapel,))]
        opt.zero_grad(set_to_none=True)
        l = verlust(modell, zeilen)
        l.backward()
        nn.utils.clip_grad_norm_(modell.parameters(), 1.0)
        opt.step()
        plan.step()
        mittel += l.item()
        if schritt % 52 == 0:
            print(f"Schritt {schritt:4d}  Verlust {mittel / 52:.4f}")
            mittel = 0.0
    ziffern, ganz = treffer(modell, test)
    print(f"Test: richtige Ziffern {ziffern:.3f}, ganz richtige Summen {ganz:.3f} (raten: {-math.log(0.1):.2f} nats)")


if __name__ == "__main__":
    main()
