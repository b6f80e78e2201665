# expect: duplicate_leakage @ 41
# allowed: duplicate_leakage @ 42
"""Deteccao de fraude: tabela desbalanceada, sobreamostragem da classe rara e uma rede pequena."""
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn


def transacoes(n=1500, seed=6):
    rng = np.random.default_rng(seed)
    fraude = (rng.random(n) < 0.08).astype(int)
    x = rng.normal(size=(n, 12)) + 0.9 * fraude[:, None] * (np.arange(12) < 4)
    df = pd.DataFrame(x, columns=[f"v{i}" for i in range(12)])
    df["fraude"] = fraude
    return df


def sobreamostrar(df):
    raros, comuns = df[df.fraude == 1], df[df.fraude == 0]
    extra = raros.sample(len(comuns) - len(raros), replace=True, random_state=0)
    return pd.concat([df, extra], ignore_index=True)


def treinar(rede, x, y, epocas=40):
    otimizador = torch.optim.AdamW(rede.parameters(), lr=3e-3, weight_decay=1e-2)
    for _ in range(epocas):
        rede.train()
        for idx in torch.randperm(len(x)).split(100):
            perda = nn.functional.binary_cross_entropy_with_logits(rede(x[idx]).squeeze(1), y[idx])
            otimizador.zero_grad()
            perda.backward()
            otimizador.step()
    return perda.item()


df = transacoes()
df = sobreamostrar(df)
treino, teste = train_test_split(df, test_size=0.25, stratify=df.fraude, random_state=3)
colunas = [c for c in df.columns if c != "fraude"]
escala = StandardScaler().fit(treino[colunas])
tensor = lambda d: torch.tensor(escala.transform(d[colunas]), dtype=torch.float32)
torch.manual_seed(0)
rede = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 1))
perda = treinar(rede, tensor(treino), torch.tensor(treino.fraude.to_numpy(), dtype=torch.float32))
rede.eval()
with torch.no_grad():
    previsto = (rede(tensor(teste)).squeeze(1) > 0).long().numpy()
recall = previsto[teste.fraude.to_numpy() == 1].mean()
print(f"perda {perda:.4f}  F1 no teste {f1_score(teste.fraude, previsto):.3f}  recall {recall:.3f}")
