# expect: nothing
"""Supervivencia en tiempo discreto con huecos en los datos y pacientes que llegan de uno en uno."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(29)
azar = np.random.default_rng(29)
TRAMOS = 6


def clinica(n):
    limpio = azar.normal(size=(n, 4))
    x = limpio * np.array([12.0, 0.8, 150.0, 3.0]) + np.array([60.0, 2.0, 900.0, 7.0])
    riesgo = 0.9 * limpio[:, 0] - 0.8 * limpio[:, 2] + 0.5 * limpio[:, 3]
    p = 1 / (1 + np.exp(1.6 - riesgo))
    tramo, visto = np.full(n, TRAMOS - 1), np.zeros(n)
    for i in range(n):
        for t in range(TRAMOS):
            if azar.random() < p[i]:
                tramo[i], visto[i] = t, 1
                break
            if azar.random() < 0.05:
                tramo[i] = t
                break
    x[azar.random(x.shape) < 0.12] = np.nan
    return x, tramo, visto


class Preparar(nn.Module):
    """Media y anchura de la parte de ajuste; cada hueco pasa a cero y deja una marca."""

    def __init__(self, x):
        super().__init__()
        x = torch.as_tensor(x, dtype=torch.float32)
        hay = ~torch.isnan(x)
        media = torch.nanmean(x, 0)
        var = torch.where(hay, (x - media) ** 2, torch.zeros(())).sum(0) / hay.sum(0)
        self.register_buffer("media", media)
        self.register_buffer("anchura", var.sqrt())

    def forward(self, x):
        z = torch.nan_to_num((x - self.media) / self.anchura, nan=0.0)
        return torch.cat([z, torch.isnan(x).float()], dim=1)


def verosimilitud(logit, tramo, visto):
    paso = torch.arange(TRAMOS)[None]
    en_riesgo = (paso <= tramo[:, None]).float()
    muere = ((paso == tramo[:, None]) & (visto[:, None] == 1)).float()
    bce = nn.functional.binary_cross_entropy_with_logits(logit, muere, reduction="none")
    return (bce * en_riesgo).sum() / en_riesgo.sum()


def como_tensor(x, tramo, visto):
    return (torch.tensor(x, dtype=torch.float32), torch.tensor(tramo),
            torch.tensor(visto, dtype=torch.float32))


ajuste, prueba = como_tensor(*clinica(961)), como_tensor(*clinica(300))
preparar = Preparar(ajuste[0])
red = nn.Sequential(nn.Linear(8, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, TRAMOS))
opt = torch.optim.Adam(red.parameters(), lr=5e-3)
datos = TensorDataset(preparar(ajuste[0]), *ajuste[1:])
lotes = DataLoader(datos, batch_size=64, shuffle=True, drop_last=True)  # 961 = 15 * 64 + 1

for epoca in range(20):
    red.train()
    perdidas = []
    for x, tramo, visto in lotes:
        opt.zero_grad()
        perdida = verosimilitud(red(x), tramo, visto)
        perdida.backward()
        opt.step()
        perdidas.append(perdida.item())
    if epoca % 5 == 4:
        print(f"época {epoca + 1}: {np.mean(perdidas):.3f}")

red.eval()
curvas = []
with torch.inference_mode():
    for i in range(len(prueba[0])):
        logit = red(preparar(prueba[0][i:i + 1]))
        curvas.append(torch.cumprod(1 - torch.sigmoid(logit[0]), 0))
vive = torch.stack(curvas)
medida = -vive.sum(1)
tramo, visto = prueba[1], prueba[2]
antes = (tramo[:, None] < tramo[None]) & (visto[:, None] == 1)
orden = (medida[:, None] > medida[None]) & antes
print(f"concordancia en prueba {orden.sum() / antes.sum():.3f} con {int(visto.sum())} sucesos")
