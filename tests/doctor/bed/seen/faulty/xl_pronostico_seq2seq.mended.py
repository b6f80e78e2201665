# expect: nothing
# Seq2seq pronóstico: codificador LSTM + celda decodificadora, pérdida por paso
import numpy as np
import torch
import torch.nn as nn

np.random.seed(7)
torch.manual_seed(7)

PASADO, FUTURO = 30, 6


def senal(n):
    t = np.arange(n)
    s = np.sin(2 * np.pi * t / 25) + 0.5 * np.sin(2 * np.pi * t / 11 + 1.0)
    return (s + np.random.normal(0, 0.1, n)).astype("float32")


def recortar(s):
    xs, ys = [], []
    for i in range(0, len(s) - PASADO - FUTURO, 2):
        xs.append(s[i:i + PASADO])
        ys.append(s[i + PASADO:i + PASADO + FUTURO])
    return torch.from_numpy(np.stack(xs)).unsqueeze(-1), torch.from_numpy(np.stack(ys))


class Pronostico(nn.Module):
    def __init__(self, h=32):
        super().__init__()
        self.codificador = nn.LSTM(1, h, batch_first=True)
        self.celda = nn.LSTMCell(1, h)
        self.salida = nn.Linear(h, 1)

    def forward(self, x):
        _, (h, c) = self.codificador(x)
        h, c = h[0], c[0]
        entrada = x[:, -1]
        pasos = []
        for _ in range(FUTURO):
            h, c = self.celda(entrada, (h, c))
            entrada = self.salida(h)
            pasos.append(entrada.squeeze(-1))
        return pasos


serie = senal(2000)
corte = 1600
x_ent, y_ent = recortar(serie[:corte])
x_pru, y_pru = recortar(serie[corte:])

modelo = Pronostico()
mse = nn.MSELoss()
optimizador = torch.optim.Adam(modelo.parameters(), lr=5e-3)

for epoca in range(1, 13):
    modelo.train()
    orden = torch.randperm(len(x_ent))
    acumulado = 0.0
    lotes = orden.split(64)
    for idx in lotes:
        pasos = modelo(x_ent[idx])
        perdidas = [mse(p, y_ent[idx, k]) for k, p in enumerate(pasos)]
        perdida = torch.stack(perdidas).mean()
        optimizador.zero_grad()
        perdida.backward()
        optimizador.step()
        acumulado += perdida.item()
    if epoca % 3 == 0:
        print(f"época {epoca:2d}  mse de entrenamiento {acumulado / len(lotes):.4f}")

modelo.eval()
with torch.no_grad():
    pred = torch.stack(modelo(x_pru), dim=1)
por_paso = ((pred - y_pru) ** 2).mean(0)
print("mse de prueba por paso:", " ".join(f"{v:.3f}" for v in por_paso.tolist()))
print(f"mse de la media constante: {((y_ent.mean() - y_pru) ** 2).mean().item():.3f}")
