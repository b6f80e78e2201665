# expect: nothing
# Demanda horaria de bicicletas públicas. Regresión de Poisson con una red pequeña.
# La curva de pérdida se suaviza con una media móvil exponencial, como en el cuaderno del curso.
import math

import torch
import torch.nn.functional as F

torch.manual_seed(4)
N, N_PRUEBA = 2000, 500
PASOS, LOTE, BETA = 900, 64, 0.98


def crear_datos(n):
    hora = torch.randint(0, 24, (n,))
    temperatura = torch.randn(n) * 8 + 15
    lluvia = (torch.rand(n) < 0.2).float()
    laborable = (torch.rand(n) < 0.7).float()
    punta = torch.exp(-((hora - 8.0) / 2) ** 2) + torch.exp(-((hora - 18.0) / 2.5) ** 2)
    tasa = torch.exp(1.2 + 1.3 * punta * laborable + 0.9 * torch.sin((hora - 9.0) / 24 * 2 * math.pi) * (1 - laborable)
                     + 0.03 * (temperatura - 15) - 0.8 * lluvia)
    angulo = hora / 24 * 2 * math.pi
    X = torch.stack([angulo.sin(), angulo.cos(), (2 * angulo).sin(), (2 * angulo).cos(),
                     temperatura, lluvia, laborable], dim=1)
    return X, torch.poisson(tasa)


X, y = crear_datos(N + N_PRUEBA)
X_ent, y_ent = X[:N], y[:N]
X_pru, y_pru = X[N:], y[N:]
mu, sd = X_ent.mean(0), X_ent.std(0)
X_ent, X_pru = (X_ent - mu) / sd, (X_pru - mu) / sd


def construir(tamanos):
    """Devuelve los parámetros y una función que calcula el logaritmo de la tasa."""
    pesos = []
    for a, b in zip(tamanos[:-1], tamanos[1:]):
        pesos.append((torch.randn(a, b) * math.sqrt(1.0 / a)).requires_grad_())
        pesos.append(torch.zeros(b, requires_grad=True))

    def adelante(x):
        for i in range(0, len(pesos), 2):
            x = x @ pesos[i] + pesos[i + 1]
            if i + 2 < len(pesos):
                x = torch.tanh(x)
        return x.squeeze(1)

    return pesos, adelante


pesos, log_tasa = construir([7, 40, 40, 1])
opt = torch.optim.Adam(pesos, lr=3e-3)

media_movil = 0.0
for paso in range(1, PASOS + 1):
    idx = torch.randint(0, N, (LOTE,))
    perdida = F.poisson_nll_loss(log_tasa(X_ent[idx]), y_ent[idx], log_input=True)
    opt.zero_grad()
    perdida.backward()
    opt.step()
    media_movil = BETA * media_movil + (1 - BETA) * perdida.item()
    corregida = media_movil / (1 - BETA ** paso)
    if paso % 150 == 0:
        print(f"paso {paso:4d}  pérdida suavizada {corregida:.4f}")

with torch.no_grad():
    pred = log_tasa(X_pru)
    nll = F.poisson_nll_loss(pred, y_pru, log_input=True).item()
    error = (pred.exp() - y_pru).abs().mean().item()
    base = (y_ent.mean() - y_pru).abs().mean().item()
print(f"prueba: pérdida {nll:.4f}, error medio {error:.2f} bicicletas (con la media: {base:.2f})")
