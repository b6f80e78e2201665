# expect: nothing
# Regressão com bottleneck: prever a nota do lote e reconstruir as medidas
import numpy as np
import pandas as pd
import torch
from torch import nn


def tabela(n=500, semente=6):
    rng = np.random.default_rng(semente)
    med = rng.normal(size=(n, 6))
    nota = 1.5 * med[:, 0] + med[:, 1] * med[:, 2] - 0.8 * np.abs(med[:, 3]) + 0.1 * rng.normal(size=n)
    df = pd.DataFrame(med, columns=[f"m{i}" for i in range(6)])
    df["nota"] = nota
    # o laboratório entrega a planilha do pior para o melhor lote
    return df.sort_values("nota").reset_index(drop=True)


def dividir(df, fracao=0.8):
    corte = int(fracao * len(df))
    df = df.sample(frac=1.0, random_state=0)
    return df.iloc[:corte], df.iloc[corte:]


class Gargalo(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(6, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU())
        self.dec = nn.Linear(24, 6)
        self.nota = nn.Linear(24, 1)

    def forward(self, x):
        z = self.enc(x)
        return self.dec(z), self.nota(z).squeeze(1)

    def custo(self, x, y):
        rec, nota = self(x)
        return 0.2 * nn.functional.mse_loss(rec, x), nn.functional.mse_loss(nota, y)


def tensores(df, media, desvio):
    z = torch.tensor(((df - media) / desvio).to_numpy(), dtype=torch.float32)
    return z[:, :-1], z[:, -1]


def treinar(modelo, x, y, epocas=30):
    opt = torch.optim.Adam(modelo.parameters(), lr=4e-3)
    for ep in range(epocas):
        modelo.train()
        total = 0.0
        for idx in torch.randperm(len(x)).split(25):
            c_rec, c_nota = modelo.custo(x[idx], y[idx])
            opt.zero_grad()
            (c_rec + c_nota).backward()
            opt.step()
            total += c_nota.item() * len(idx)
        if (ep + 1) % 10 == 0:
            print(f"época {ep + 1}: erro da nota {total / len(x):.4f}")


def main():
    torch.manual_seed(0)
    treino, teste = dividir(tabela())
    media, desvio = treino.mean(), treino.std()
    modelo = Gargalo()
    treinar(modelo, *tensores(treino, media, desvio))
    x, y = tensores(teste, media, desvio)
    modelo.eval()
    with torch.no_grad():
        _, nota = modelo(x)
    r2 = 1 - ((nota - y) ** 2).mean() / y.var(unbiased=False)
    print(f"teste: erro {((nota - y) ** 2).mean():.4f}, R2 {r2:.3f}")


if __name__ == "__main__":
    main()
