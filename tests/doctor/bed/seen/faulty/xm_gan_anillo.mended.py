# expect: nothing
# GAN pequeña: aprender puntos repartidos sobre un anillo de radio 2
import math

import torch
import torch.nn as nn

torch.manual_seed(5)

DIM_RUIDO = 4
LOTE = 64
PASOS = 900


def puntos_reales(n):
    angulo = torch.rand(n) * 2 * math.pi
    radio = 2.0 + 0.1 * torch.randn(n)
    return torch.stack([radio * angulo.cos(), radio * angulo.sin()], dim=1)


gen = nn.Sequential(nn.Linear(DIM_RUIDO, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
dis = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
opt_gen = torch.optim.Adam(gen.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_dis = torch.optim.Adam(dis.parameters(), lr=1e-3, betas=(0.5, 0.999))
criterio = nn.BCEWithLogitsLoss()
uno, cero = torch.ones(LOTE, 1), torch.zeros(LOTE, 1)

for paso in range(1, PASOS + 1):
    # --- discriminador ---
    reales = puntos_reales(LOTE)
    falsos = gen(torch.randn(LOTE, DIM_RUIDO)).detach()
    perdida_dis = criterio(dis(reales), uno) + criterio(dis(falsos), cero)
    opt_dis.zero_grad()
    perdida_dis.backward()
    opt_dis.step()

    # --- generador ---
    falsos = gen(torch.randn(LOTE, DIM_RUIDO))
    perdida_gen = criterio(dis(falsos), uno)
    opt_gen.zero_grad()
    perdida_gen.backward()
    opt_gen.step()

    if paso % 300 == 0:
        print(f"paso {paso:4d}  D {perdida_dis.item():.3f}  G {perdida_gen.item():.3f}")

gen.eval()
with torch.no_grad():
    muestra = gen(torch.randn(2000, DIM_RUIDO))
radios = muestra.norm(dim=1)
print(f"radio medio {radios.mean().item():.3f} (esperado 2.0), desviación {radios.std().item():.3f}")
print(f"puntos cerca del anillo: {((radios - 2).abs() < 0.4).float().mean().item():.2%}")
