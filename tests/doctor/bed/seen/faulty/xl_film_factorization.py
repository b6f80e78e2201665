# expect: symmetric_init @ 31
# allowed: symmetric_init @ 32
# Factorización de matrices: valoraciones de películas (datos sintéticos)
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(5)
rng = np.random.default_rng(5)

N_USUARIOS, N_PELIS, N_FACT = 200, 120, 6


def crear_valoraciones(n=9000, rango=4):
    gustos = rng.normal(0, 1, (N_USUARIOS, rango))
    generos = rng.normal(0, 1, (N_PELIS, rango))
    pares = rng.choice(N_USUARIOS * N_PELIS, size=n, replace=False)
    u, p = pares // N_PELIS, pares % N_PELIS
    nota = (gustos[u] * generos[p]).sum(1) / np.sqrt(rango) + rng.normal(0, 0.2, n)
    return u, p, nota


class Recomendador(nn.Module):
    def __init__(self, n_u, n_p, k):
        super().__init__()
        self.usuarios = nn.Embedding(n_u, k)
        self.pelis = nn.Embedding(n_p, k)
        self.sesgo_u = nn.Embedding(n_u, 1)
        self.sesgo_p = nn.Embedding(n_p, 1)
        self.usuarios.weight.data.fill_(0.1)
        self.pelis.weight.data.fill_(0.1)
        self.sesgo_u.weight.data.zero_()
        self.sesgo_p.weight.data.zero_()

    def forward(self, u, p):
        punto = (self.usuarios(u) * self.pelis(p)).sum(1)
        return punto + self.sesgo_u(u).squeeze(1) + self.sesgo_p(p).squeeze(1)


u, p, nota = crear_valoraciones()
corte = int(0.8 * len(nota))
media = nota[:corte].mean()
u, p = torch.tensor(u), torch.tensor(p)
nota = torch.tensor(nota - media, dtype=torch.float32)
entrenamiento = DataLoader(TensorDataset(u[:corte], p[:corte], nota[:corte]), batch_size=128, shuffle=True)
prueba = DataLoader(TensorDataset(u[corte:], p[corte:], nota[corte:]), batch_size=512)

modelo = Recomendador(N_USUARIOS, N_PELIS, N_FACT)
optimizador = torch.optim.Adam(modelo.parameters(), lr=1e-2, weight_decay=1e-5)
criterio = nn.MSELoss()

for epoca in range(1, 26):
    modelo.train()
    total = 0.0
    for bu, bp, bn in entrenamiento:
        perdida = criterio(modelo(bu, bp), bn)
        optimizador.zero_grad()
        perdida.backward()
        optimizador.step()
        total += perdida.item() * len(bn)
    if epoca % 5 == 0:
        print(f"época {epoca:2d}  mse entrenamiento {total / corte:.4f}")

modelo.eval()
with torch.no_grad():
    error = sum(((modelo(bu, bp) - bn) ** 2).sum().item() for bu, bp, bn in prueba)
rmse = (error / (len(nota) - corte)) ** 0.5
print(f"RMSE de prueba: {rmse:.4f} (desviación de las notas {nota[corte:].std().item():.4f})")
