# expect: nothing
# Trabalho final - Sistemas de Recomendação
# Fatoração de matrizes com saída logística: a nota (1 a 5 estrelas) vira um
# "grau de gosto" entre 0 e 1 e o modelo é treinado com entropia cruzada binária.
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

NOTA_MIN, NOTA_MAX = 1, 5


def gera_avaliacoes(n_usuarios=80, n_filmes=60, n_notas=2400, semente=1):
    rng = np.random.default_rng(semente)
    gosto = rng.normal(size=(n_usuarios, 3))
    estilo = rng.normal(size=(n_filmes, 3))
    pares = rng.choice(n_usuarios * n_filmes, size=n_notas, replace=False)
    u, f = pares // n_filmes, pares % n_filmes
    bruto = 3.2 + 0.8 * (gosto[u] * estilo[f]).sum(1) + rng.normal(0, 0.3, n_notas)
    nota = np.clip(np.rint(bruto), NOTA_MIN, NOTA_MAX).astype(int)
    return pd.DataFrame({"usuario": u, "filme": f, "nota": nota})


def normaliza(nota):
    """nota em estrelas -> grau de gosto"""
    return (nota - NOTA_MIN) / (NOTA_MAX - NOTA_MIN)


def desnormaliza(grau):
    return NOTA_MIN + grau * (NOTA_MAX - NOTA_MIN)


def para_tensores(df):
    return TensorDataset(
        torch.tensor(df["usuario"].to_numpy()),
        torch.tensor(df["filme"].to_numpy()),
        torch.tensor(normaliza(df["nota"]).to_numpy(), dtype=torch.float32))


class Fatoracao(nn.Module):
    def __init__(self, n_usuarios, n_filmes, k=6):
        super().__init__()
        self.p = nn.Embedding(n_usuarios, k)
        self.q = nn.Embedding(n_filmes, k)
        self.bu = nn.Embedding(n_usuarios, 1)
        self.bf = nn.Embedding(n_filmes, 1)
        for fator in (self.p, self.q):
            nn.init.normal_(fator.weight, std=0.3)
        for vies in (self.bu, self.bf):
            nn.init.zeros_(vies.weight)
        self.b = nn.Parameter(torch.zeros(()))

    def forward(self, u, f):
        interacao = (self.p(u) * self.q(f)).sum(dim=1)
        return interacao + self.bu(u).squeeze(1) + self.bf(f).squeeze(1) + self.b


def treina(modelo, lotes, epocas=12):
    otim = torch.optim.AdamW(modelo.parameters(), lr=0.02, weight_decay=0.02)
    criterio = nn.BCEWithLogitsLoss()
    for ep in range(epocas):
        soma = 0.0
        for u, f, alvo in lotes:
            otim.zero_grad()
            perda = criterio(modelo(u, f), alvo)
            perda.backward()
            otim.step()
            soma += perda.item() * len(alvo)
        if ep % 3 == 2:
            print(f"época {ep + 1:2d}: perda média {soma / len(lotes.dataset):.4f}")


@torch.no_grad()
def rmse(modelo, df):
    u, f, _ = para_tensores(df).tensors
    previsto = desnormaliza(torch.sigmoid(modelo(u, f)).numpy())
    return float(np.sqrt(np.mean((previsto - df["nota"].to_numpy()) ** 2)))


def main():
    torch.manual_seed(1)
    df = gera_avaliacoes()
    teste = df.sample(frac=0.2, random_state=1)
    treino = df.drop(teste.index)
    modelo = Fatoracao(df["usuario"].max() + 1, df["filme"].max() + 1)
    treina(modelo, DataLoader(para_tensores(treino), batch_size=64, shuffle=True))
    base = float(np.sqrt(np.mean((teste["nota"] - treino["nota"].mean()) ** 2)))
    print(f"RMSE treino {rmse(modelo, treino):.3f} | teste {rmse(modelo, teste):.3f}"
          f" | só a média {base:.3f}")


if __name__ == "__main__":
    main()
