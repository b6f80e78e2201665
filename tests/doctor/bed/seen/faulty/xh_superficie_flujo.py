# expect: vanishing_gradient @ 27
# allowed: vanishing_gradient @ 28
# allowed: vanishing_gradient @ 30
# allowed: vanishing_gradient @ 51
# Regresión de una superficie con una red profunda, entrenada desde un generador infinito
import itertools

import torch
import torch.nn as nn

torch.manual_seed(17)


def superficie(x):
    return torch.sin(2.0 * x[:, 0]) * torch.cos(1.5 * x[:, 1]) + 0.4 * x[:, 2]


def flujo(tam_lote, semilla):
    """Produce lotes (entrada, objetivo) sin fin."""
    g = torch.Generator().manual_seed(semilla)
    while True:
        x = torch.randn(tam_lote, 3, generator=g)
        ruido = 0.05 * torch.randn(tam_lote, generator=g)
        yield x, superficie(x) + ruido


def red_profunda(d_entrada, ancho, n_capas, activacion=nn.Sigmoid):
    capas = [nn.Linear(d_entrada, ancho), activacion()]
    for _ in range(n_capas - 1):
        capas += [nn.Linear(ancho, ancho), activacion()]
    capas.append(nn.Linear(ancho, 1))
    for capa in capas:
        if isinstance(capa, nn.Linear):
            nn.init.xavier_uniform_(capa.weight)
            nn.init.zeros_(capa.bias)
    return nn.Sequential(*capas)


def evaluar(modelo, lotes):
    modelo.eval()
    error, varianza = 0.0, 0.0
    with torch.no_grad():
        for x, y in lotes:
            pred = modelo(x).squeeze(1)
            error += ((pred - y) ** 2).sum().item()
            varianza += ((y - y.mean()) ** 2).sum().item()
    modelo.train()
    return 1.0 - error / varianza


base = red_profunda(3, 48, 7)
modelo = torch.compile(base, backend="eager")
optimizador = torch.optim.SGD(base.parameters(), lr=0.02, momentum=0.9)
criterio = nn.MSELoss()
lotes_prueba = list(itertools.islice(flujo(500, semilla=2), 4))

media = 0.0
for paso, (x, y) in enumerate(itertools.islice(flujo(128, semilla=1), 800), start=1):
    optimizador.zero_grad(set_to_none=True)
    perdida = criterio(modelo(x).squeeze(1), y)
    perdida.backward()
    optimizador.step()
    media += perdida.item()
    if paso % 200 == 0:
        print(f"paso {paso:5d}  pérdida media {media / 200:.4f}")
        media = 0.0

print(f"R² en datos nuevos: {evaluar(modelo, lotes_prueba):.3f}")
