# expect: target_broadcast @ 20
# allowed: target_broadcast @ 30
# allowed: target_broadcast @ 38
# allowed: target_broadcast @ 49
# Intervalos de previsão para o conjunto diabetes: um modelo por quantil (10 %, 50 %, 90 %)
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(3)


class Pacientes(Dataset):
    def __init__(self, X, y):
        self.X = torch.as_tensor(X, dtype=torch.float32)
        self.y = torch.as_tensor(y, dtype=torch.float32)

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return self.X[i], self.y[i]


def perda_pinball(prev, alvo, q):
    erro = alvo - prev
    return torch.maximum(q * erro, (q - 1) * erro).mean()


def rede(n_entradas):
    return nn.Sequential(
        nn.Linear(n_entradas, 32),
        nn.Tanh(),
        nn.Linear(32, 1),
    )


def treinar(q, dados, epocas=60):
    modelo = rede(dados.X.shape[1])
    otim = torch.optim.Adam(modelo.parameters(), lr=2e-3)
    carregador = DataLoader(dados, batch_size=32, shuffle=True)
    for _ in range(epocas):
        soma = 0.0
        for xb, yb in carregador:
            perda = perda_pinball(modelo(xb), yb, q)
            otim.zero_grad()
            perda.backward()
            otim.step()
            soma += perda.item() * len(xb)
    print(f"  q={q:.1f}: perda de treino {soma / len(dados):.4f}")
    return modelo


X, y = load_diabetes(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.25, random_state=3)
esc_x = StandardScaler().fit(X_tr)
media, desvio = y_tr.mean(), y_tr.std()

treino = Pacientes(esc_x.transform(X_tr), (y_tr - media) / desvio)
entrada_te = torch.as_tensor(esc_x.transform(X_te), dtype=torch.float32)

previsao = {}
for q in (0.1, 0.5, 0.9):
    modelo = treinar(q, treino)
    modelo.eval()
    with torch.no_grad():
        previsao[q] = modelo(entrada_te).squeeze(1).numpy() * desvio + media

cobertura = np.mean((y_te >= previsao[0.1]) & (y_te <= previsao[0.9]))
largura = np.mean(previsao[0.9] - previsao[0.1])
mae = np.mean(np.abs(y_te - previsao[0.5]))
mae_base = np.mean(np.abs(y_te - np.median(y_tr)))
print(f"cobertura {cobertura:.2f}  largura média {largura:.1f}")
print(f"MAE da mediana prevista {mae:.1f}  (constante: {mae_base:.1f})")
