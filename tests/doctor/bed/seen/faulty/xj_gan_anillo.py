# expect: missing_zero_grad @ 39
# allowed: missing_zero_grad @ 40
# allowed: missing_zero_grad @ 45
# GAN pequeña: aprender un anillo de ocho gaussianas
import math
import torch
import torch.nn as nn

torch.manual_seed(11)
LOTE, PASOS, RUIDO = 128, 1500, 4


def muestra_real(n):
    ang = torch.randint(0, 8, (n,)) * (2 * math.pi / 8)
    centro = torch.stack([ang.cos(), ang.sin()], dim=1)
    return centro + 0.05 * torch.randn(n, 2)


def red(entrada, salida):
    return nn.Sequential(
        nn.Linear(entrada, 48), nn.LeakyReLU(0.2),
        nn.Linear(48, 48), nn.LeakyReLU(0.2),
        nn.Linear(48, salida),
    )


generador = red(RUIDO, 2)
discriminador = red(2, 1)
opt_g = torch.optim.Adam(generador.parameters(), lr=1e-3, betas=(0.5, 0.9))
opt_d = torch.optim.Adam(discriminador.parameters(), lr=1e-3, betas=(0.5, 0.9))
bce = nn.BCEWithLogitsLoss()
unos, ceros = torch.ones(LOTE, 1), torch.zeros(LOTE, 1)

for paso in range(1, PASOS + 1):
    # --- discriminador ---
    real = muestra_real(LOTE)
    falso = generador(torch.randn(LOTE, RUIDO)).detach()
    perdida_d = bce(discriminador(real), unos) + bce(discriminador(falso), ceros)
    perdida_d.backward()
    opt_d.step()

    # --- generador ---
    opt_g.zero_grad()
    perdida_g = bce(discriminador(generador(torch.randn(LOTE, RUIDO))), unos)
    perdida_g.backward()
    opt_g.step()

    if paso % 300 == 0:
        print(f"paso {paso}: D {perdida_d.item():.3f}  G {perdida_g.item():.3f}")

generador.eval()
with torch.no_grad():
    puntos = generador(torch.randn(2000, RUIDO))
    radio = puntos.norm(dim=1)
    ang = torch.arange(8) * (2 * math.pi / 8)
    centros = torch.stack([ang.cos(), ang.sin()], dim=1)
    dist, cual = torch.cdist(puntos, centros).min(dim=1)
print(f"radio medio {radio.mean().item():.3f} (real 1.0), distancia media al modo {dist.mean().item():.3f}")
print("modos cubiertos:", cual[dist < 0.2].unique().numel(), "de 8")
