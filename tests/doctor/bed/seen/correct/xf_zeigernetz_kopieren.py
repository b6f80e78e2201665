# expect: nothing
# Kopieren oder erzeugen: Mischung aus Zeigerverteilung und Wortverteilung
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(6)
WOERTER, LAENGE = 20, 7
FRAGE, FEST = 0, 1          # Befehl "kopiere das Wort nach der Marke" oder "antworte fest"
MARKE = 2


def beispiele(n):
    x = torch.randint(4, WOERTER, (n, LAENGE))
    ort = torch.randint(1, LAENGE - 1, (n,))
    zeile = torch.arange(n)
    befehl = torch.arange(n) % 2
    x[:, 0] = befehl
    x[zeile, ort] = MARKE
    antwort = torch.where(befehl == FRAGE, x[zeile, ort + 1], torch.full((n,), 3))
    return TensorDataset(x, antwort)


class Zeigernetz(nn.Module):
    def __init__(self, dim=16, breite=24):
        super().__init__()
        self.emb = nn.Embedding(WOERTER, dim)
        self.gru = nn.GRU(dim, breite, batch_first=True, bidirectional=True)
        self.zeiger = nn.Linear(2 * breite, 1)
        self.wort = nn.Linear(2 * breite, WOERTER)
        self.schalter = nn.Linear(2 * breite, 1)

    def forward(self, x):
        h, letzte = self.gru(self.emb(x))
        kontext = torch.cat([letzte[0], letzte[1]], dim=1)
        punkte = self.zeiger(h).squeeze(-1)
        p_zeiger = torch.exp(punkte - torch.logsumexp(punkte, dim=1, keepdim=True))
        kopie = torch.zeros(len(x), WOERTER).scatter_add(1, x, p_zeiger)
        s = torch.sigmoid(self.schalter(kontext))
        gemischt = s * kopie + (1 - s) * self.wort(kontext).softmax(dim=1)
        return gemischt.clamp_min(1e-8).log()


def bewerten(netz, lader):
    netz.eval()
    treffer = verlust = 0.0
    with torch.no_grad():
        for x, y in lader:
            lp = netz(x)
            verlust -= lp.gather(1, y[:, None]).sum().item()
            treffer += (lp.argmax(1) == y).sum().item()
    return verlust / len(lader.dataset), treffer / len(lader.dataset)


lern = DataLoader(beispiele(2000), batch_size=50, shuffle=True)
test = DataLoader(beispiele(500), batch_size=250)
netz = Zeigernetz()
opt = torch.optim.Adam(netz.parameters(), lr=8e-3)
for runde in range(6):
    netz.train()
    summe = 0.0
    for x, y in lern:
        verlust = F.nll_loss(netz(x), y)
        opt.zero_grad()
        verlust.backward()
        opt.step()
        summe += verlust.item()
    print(f"Runde {runde + 1}: {summe / len(lern):.4f}")
v, g = bewerten(netz, test)
print(f"Test: Verlust {v:.4f}, Genauigkeit {g:.3f}")
