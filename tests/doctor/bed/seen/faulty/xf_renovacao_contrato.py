# expect: bad_label_values @ 42
# allowed: bad_label_values @ 75
# Previsão de renovação de contrato a partir de uma tabela com respostas de questionário.
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(21)
gerador = np.random.default_rng(21)


def criar_tabela(n=2000):
    t = pd.DataFrame({
        "meses": gerador.integers(1, 60, n),
        "chamadas": gerador.poisson(3, n),
        "fatura": gerador.gamma(4, 15, n),
        "plano": gerador.choice(["basico", "medio", "total"], n),
    })
    nota = (0.06 * (t["meses"] - 30) - 0.6 * (t["chamadas"] - 3)
            + t["plano"].map({"basico": -0.8, "medio": 0.0, "total": 0.8})
            - 0.01 * (t["fatura"] - 60))
    chance = 1 / (1 + np.exp(-1.5 * nota))
    # resposta do questionário: 1 = não renova, 2 = renova
    t["resposta"] = np.where(gerador.random(n) < chance, 2, 1)
    return t


class Contratos(Dataset):
    numericas = ["meses", "chamadas", "fatura"]

    def __init__(self, quadro, escala):
        self.num = torch.tensor(escala.transform(quadro[self.numericas]), dtype=torch.float32)
        self.plano = torch.tensor(
            pd.Categorical(quadro["plano"], categories=["basico", "medio", "total"]).codes.copy(),
            dtype=torch.long,
        )
        self.alvo = torch.tensor(quadro["resposta"].to_numpy(), dtype=torch.float32)

    def __len__(self):
        return len(self.alvo)

    def __getitem__(self, i):
        return self.num[i], self.plano[i], self.alvo[i]


class Rede(nn.Module):
    def __init__(self):
        super().__init__()
        self.plano = nn.Embedding(3, 2)
        self.corpo = nn.Sequential(nn.Linear(5, 24), nn.ReLU(), nn.Linear(24, 1))

    def forward(self, num, plano):
        return self.corpo(torch.cat([num, self.plano(plano)], dim=-1)).squeeze(-1)


tabela = criar_tabela()
treino, teste = train_test_split(tabela, test_size=0.25, stratify=tabela["resposta"], random_state=21)
escala = StandardScaler().fit(treino[Contratos.numericas])
lotes = DataLoader(Contratos(treino, escala), batch_size=50, shuffle=True)
prova = DataLoader(Contratos(teste, escala), batch_size=250)

rede = Rede()
criterio = nn.BCEWithLogitsLoss()
opt = torch.optim.Adam(rede.parameters(), lr=4e-3)
for epoca in range(15):
    rede.train()
    total = 0.0
    for num, plano, alvo in lotes:
        opt.zero_grad()
        perda = criterio(rede(num, plano), alvo)
        perda.backward()
        opt.step()
        total += perda.item() * len(alvo)
    if epoca % 5 == 4:
        print(f"época {epoca + 1}: perda {total / len(treino):.4f}")

rede.eval()
decisoes = []
with torch.no_grad():
    for num, plano, _ in prova:
        decisoes.append(rede(num, plano) > 0)
renova = torch.cat(decisoes).numpy()
real = (teste["resposta"] == 2).to_numpy()
print(f"acurácia {accuracy_score(real, renova):.3f}  F1 {f1_score(real, renova):.3f}  "
      f"renova previsto {renova.mean():.2f} / real {real.mean():.2f}")
