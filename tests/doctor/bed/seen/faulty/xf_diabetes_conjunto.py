# expect: detached_loss @ 32
# allowed: detached_loss @ 46
"""Ensemble de pequenas redes para o progresso da diabetes; treino conjunto com uma só perda."""
import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Membro(nn.Module):
    def __init__(self, entradas, ocultas):
        super().__init__()
        self.rede = nn.Sequential(
            nn.Linear(entradas, ocultas), nn.Tanh(), nn.Dropout(0.1), nn.Linear(ocultas, 1)
        )

    def forward(self, x):
        return self.rede(x)


class Ensemble(nn.Module):
    def __init__(self, entradas, larguras=(8, 12, 16)):
        super().__init__()
        self.membros = nn.ModuleList(Membro(entradas, h) for h in larguras)

    def perda(self, x, y):
        partes = [nn.functional.mse_loss(m(x), y) for m in self.membros]
        return torch.tensor([p.item() for p in partes], requires_grad=True).mean()

    def forward(self, x):
        return torch.stack([m(x) for m in self.membros]).mean(dim=0)


def treinar(modelo, dados, epocas=40):
    otimizador = torch.optim.Adam(modelo.parameters(), lr=5e-3, weight_decay=1e-3)
    carregador = DataLoader(dados, batch_size=32, shuffle=True)
    modelo.train()
    for _ in range(epocas):
        for xb, yb in carregador:
            otimizador.zero_grad()
            perda = modelo.perda(xb, yb)
            perda.backward()
            otimizador.step()
    return perda.item()


def para_tensor(a):
    return torch.tensor(a, dtype=torch.float32)


X, y = load_diabetes(return_X_y=True)
erros, base = [], []
for dobra, (tr, te) in enumerate(KFold(4, shuffle=True, random_state=3).split(X)):
    torch.manual_seed(100 + dobra)
    ex = StandardScaler().fit(X[tr])
    ey = StandardScaler().fit(y[tr, None])
    dados = TensorDataset(para_tensor(ex.transform(X[tr])), para_tensor(ey.transform(y[tr, None])))
    modelo = Ensemble(X.shape[1])
    ultima = treinar(modelo, dados)

    modelo.eval()
    with torch.no_grad():
        saida = modelo(para_tensor(ex.transform(X[te]))).numpy()
    previsto = ey.inverse_transform(saida)[:, 0]
    erros.append(mean_absolute_error(y[te], previsto))
    base.append(mean_absolute_error(y[te], np.full(len(te), y[tr].mean())))
    print(f"dobra {dobra}: última perda {ultima:.3f}  EMA {erros[-1]:.1f}  (média: {base[-1]:.1f})")

print(f"EMA final {np.mean(erros):.1f}, contra {np.mean(base):.1f} da média")
