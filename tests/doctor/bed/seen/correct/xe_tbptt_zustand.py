# expect: nothing
"""Lange Signale in Abschnitten: der Zustand der LSTM läuft über die Grenzen weiter."""
import torch
from torch import nn

torch.manual_seed(14)
SPUREN, DAUER, STUECK = 24, 800, 40


def signale(b, t):
    """Seltene Stöße nach oben oder unten; Ziel ist die Richtung des letzten Stoßes."""
    stoss = torch.where(torch.rand(b, t) < 0.06, torch.randint(0, 2, (b, t)) * 2.0 - 1, 0.0)
    stoss[:, 0] = torch.randint(0, 2, (b,)) * 2.0 - 1
    wann = torch.where(stoss != 0, torch.arange(t), 0).cummax(1).values
    return 2 * stoss.unsqueeze(-1), stoss.gather(1, wann)


class Pegel(nn.Module):
    def __init__(self, h=32):
        super().__init__()
        self.lstm = nn.LSTM(1, h, batch_first=True)
        self.aus = nn.Linear(h, 1)
        with torch.no_grad():
            self.lstm.bias_ih_l0[h : 2 * h].fill_(1.0)

    def forward(self, x, zustand=None):
        z, zustand = self.lstm(x, zustand)
        return self.aus(z).squeeze(-1), zustand


def abtrennen(zustand):
    return tuple(s.detach() for s in zustand)


netz = Pegel()
opt = torch.optim.Adam(netz.parameters(), lr=6e-3)
x, y = signale(SPUREN, DAUER)
spur = []

for runde in range(24):
    netz.train()
    zustand, gesamt, offen = None, 0.0, 0.0
    for k, a in enumerate(range(0, DAUER, STUECK), 1):
        aus, zustand = netz(x[:, a : a + STUECK], zustand)
        verlust = nn.functional.mse_loss(aus, y[:, a : a + STUECK])
        offen = offen + verlust
        gesamt += verlust.item()
        if k % 2 == 0:
            # zwei Abschnitte teilen sich einen Rückwärtsgang
            opt.zero_grad()
            (offen / 2).backward()
            nn.utils.clip_grad_norm_(netz.parameters(), 1.0)
            opt.step()
            offen = 0.0
            zustand = abtrennen(zustand)
    spur.append(zustand[0][0].mean(0))
    if runde % 6 == 5:
        print(f"Runde {runde + 1}: {gesamt * STUECK / DAUER:.4f}")

print("Wanderung des Zustands:", round((spur[-1] - spur[0]).norm().item(), 3))
netz.eval()
xt, yt = signale(8, DAUER)
zustand, teile = None, []
with torch.inference_mode():
    for a in range(0, DAUER, STUECK):
        aus, zustand = netz(xt[:, a : a + STUECK], zustand)
        teile.append(aus)
vorher = torch.cat(teile, 1)
print("Fehler neu:", round((vorher - yt).pow(2).mean().item(), 4))
print("Pegel richtig:", round((vorher.sign() == yt).float().mean().item(), 4))
