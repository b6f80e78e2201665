# expect: nothing
# Práctica 3: regresión no lineal con descenso de gradiente escrito a mano
# y(t) = oscilador amortiguado medido con ruido; red tanh de una capa + momento.
# Sin torch.nn y sin torch.optim: el objetivo es entender cada paso.
import math

import torch

torch.manual_seed(12)

N, OCULTAS = 240, 20
EPOCAS, LOTE = 150, 24
TASA, ROCE = 0.02, 0.9


def oscilador(t):
    return torch.exp(-0.3 * t) * torch.cos(2.2 * t)


tiempo = torch.rand(N, 1) * 6
medida = oscilador(tiempo) + 0.04 * torch.randn(N, 1)
# los puntos ya salen en orden aleatorio: los 180 primeros para ajustar
t_aj, t_ev = tiempo[:180], tiempo[180:]
m_aj, m_ev = medida[:180], medida[180:]
centro, ancho = t_aj.mean(), t_aj.std()


def normal(t):
    return (t - centro) / ancho


def parametros_iniciales():
    a = torch.randn(1, OCULTAS) * 2.0
    b = torch.randn(OCULTAS)
    c = torch.randn(OCULTAS, 1) / math.sqrt(OCULTAS)
    d = torch.zeros(1)
    return [p.requires_grad_() for p in (a, b, c, d)]


def modelo(params, t):
    a, b, c, d = params
    return torch.tanh(normal(t) @ a + b) @ c + d


def ecm(params, t, m):
    return ((modelo(params, t) - m) ** 2).mean()


def actualizar(params, velocidades, tasa):
    """un paso: v <- roce*v + g ;  p <- p - tasa*v"""
    with torch.no_grad():
        for p, v in zip(params, velocidades):
            v.mul_(ROCE).add_(p.grad)
            p -= tasa * v


def borrar_gradientes(params):
    for p in params:
        p.grad = None


params = parametros_iniciales()
velocidades = [torch.zeros_like(p) for p in params]

for epoca in range(1, EPOCAS + 1):
    tasa = TASA * (0.5 * (1 + math.cos(math.pi * (epoca - 1) / EPOCAS)))
    acumulado = 0.0
    for indices in torch.randperm(len(t_aj)).split(LOTE):
        borrar_gradientes(params)
        error = ecm(params, t_aj[indices], m_aj[indices])
        error.backward()
        actualizar(params, velocidades, tasa)
        acumulado += error.item() * len(indices)
    if epoca % 25 == 0:
        print(f"época {epoca:3d}  tasa {tasa:.4f}  ECM ajuste {acumulado / len(t_aj):.5f}")

with torch.no_grad():
    final = ecm(params, t_ev, m_ev).item()
    malla = torch.linspace(0.2, 5.8, 8).unsqueeze(1)
    curva = modelo(params, malla)
print(f"ECM evaluación {final:.5f} (ruido: {0.04 ** 2:.5f})")
for t, y in zip(malla.flatten().tolist(), curva.flatten().tolist()):
    print(f"  t={t:.2f}  red={y:+.3f}  verdad={oscilador(torch.tensor(t)).item():+.3f}")
