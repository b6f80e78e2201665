# expect: nothing
"""Inadimplência: rede com embeddings para as colunas categóricas."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

SEMENTE = 7
np.random.seed(SEMENTE)
torch.manual_seed(SEMENTE)


def gerar_tabela(n=3000):
    rng = np.random.default_rng(SEMENTE)
    df = pd.DataFrame({
        "renda": rng.gamma(3.0, 1500.0, n),
        "idade": rng.integers(19, 75, n),
        "parcelas": rng.integers(6, 60, n),
        "uf": rng.choice(["SP", "RJ", "MG", "BA", "RS"], n),
        "finalidade": rng.choice(["carro", "casa", "estudo", "viagem"], n),
    })
    efeito_uf = df["uf"].map({"SP": -0.8, "RJ": 0.9, "MG": -0.4, "BA": 0.5, "RS": 0.0})
    efeito_fin = df["finalidade"].map({"carro": 0.2, "casa": -1.0, "estudo": 0.1, "viagem": 1.1})
    z = 1.8 * efeito_uf + 1.8 * efeito_fin - df["renda"] / 2200 + df["parcelas"] / 15 - 0.3
    df["inadimplente"] = (rng.random(n) < 1 / (1 + np.exp(-1.5 * z))).astype(int)
    return df


df = gerar_tabela()
numericas = ["renda", "idade", "parcelas"]
categoricas = ["uf", "finalidade"]
for c in categoricas:
    df[c] = df[c].astype("category").cat.codes

treino, teste = train_test_split(df, test_size=0.25, stratify=df["inadimplente"], random_state=SEMENTE)
escala = StandardScaler().fit(treino[numericas])


def tensores(parte):
    return (torch.tensor(escala.transform(parte[numericas]), dtype=torch.float32),
            torch.tensor(parte[categoricas].values, dtype=torch.long),
            torch.tensor(parte["inadimplente"].values, dtype=torch.float32))


class Rede(nn.Module):
    def __init__(self, cardinalidades, n_num):
        super().__init__()
        self.emb = nn.ModuleList([nn.Embedding(k, 3) for k in cardinalidades])
        self.corpo = nn.Sequential(nn.Linear(3 * len(cardinalidades) + n_num, 32), nn.ReLU(),
                                   nn.Linear(32, 16), nn.ReLU())
        self.saida = nn.Linear(16, 1)

    def forward(self, num, cat):
        partes = [e(cat[:, i]) for i, e in enumerate(self.emb)] + [num]
        h = self.corpo(torch.cat(partes, dim=1))
        return torch.sigmoid(self.saida(h)).squeeze(1)


carregador = DataLoader(TensorDataset(*tensores(treino)), batch_size=64, shuffle=True)
rede = Rede([df[c].nunique() for c in categoricas], len(numericas))
otimizador = torch.optim.Adam(rede.parameters(), lr=2e-3)
criterio = nn.BCELoss()

for epoca in range(15):
    rede.train()
    total = 0.0
    for num, cat, alvo in carregador:
        otimizador.zero_grad()
        perda = criterio(rede(num, cat), alvo)
        perda.backward()
        otimizador.step()
        total += perda.item() * len(alvo)
    if (epoca + 1) % 5 == 0:
        print(f"época {epoca + 1:2d}  perda {total / len(treino):.4f}")

rede.eval()
with torch.no_grad():
    num, cat, alvo = tensores(teste)
    prob = rede(num, cat)
print("taxa real      :", round(alvo.mean().item(), 3))
print("taxa prevista  :", round(prob.mean().item(), 3))
print("acurácia teste :", round(((prob > 0.5).float() == alvo).float().mean().item(), 3))
print("erro de Brier  :", round(((prob - alvo) ** 2).mean().item(), 4))
print("AUC            :", round(roc_auc_score(alvo.numpy(), prob.numpy()), 3))
