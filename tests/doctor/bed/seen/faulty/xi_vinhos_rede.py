# expect: train_mode_never_restored @ 50
# allowed: train_mode_never_restored @ 61
# allowed: train_mode_never_restored @ 62
# allowed: train_mode_never_restored @ 70
# Classificação de vinhos (tabela sintética com a cara da "wine quality")
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from torch.utils.data import Dataset, DataLoader, random_split

SEMENTE = 3
torch.manual_seed(SEMENTE)
rng = np.random.default_rng(SEMENTE)

n = 600
tabela = pd.DataFrame(rng.normal(size=(n, 12)), columns=[f"medida_{i}" for i in range(12)])
nota = (tabela.medida_0 * tabela.medida_1 + 0.8 * tabela.medida_2
        - 0.6 * tabela.medida_3.abs() + rng.normal(0, 0.9, n))
tabela["bom"] = (nota > nota.median()).astype(int)


class VinhoDataset(Dataset):
    def __init__(self, df):
        self.x = torch.tensor(df.drop(columns="bom").values, dtype=torch.float32)
        self.y = torch.tensor(df["bom"].values, dtype=torch.long)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


dados = VinhoDataset(tabela)
treino, valid = random_split(dados, [300, 300], generator=torch.Generator().manual_seed(SEMENTE))
dl_treino = DataLoader(treino, batch_size=50, shuffle=True)
dl_valid = DataLoader(valid, batch_size=150)

rede = nn.Sequential(
    nn.Linear(12, 128), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(128, 128), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(128, 2),
)
criterio = nn.CrossEntropyLoss()
otim = torch.optim.Adam(rede.parameters(), lr=2e-3)


def avaliar(modelo, dl):
    modelo.eval()
    perda, certos, total = 0.0, 0, 0
    with torch.no_grad():
        for xb, yb in dl:
            saida = modelo(xb)
            perda += criterio(saida, yb).item() * len(yb)
            certos += (saida.argmax(1) == yb).sum().item()
            total += len(yb)
    return perda / total, certos / total


rede.train()
for epoca in range(60):
    soma = 0.0
    for xb, yb in dl_treino:
        otim.zero_grad()
        perda = criterio(rede(xb), yb)
        perda.backward()
        otim.step()
        soma += perda.item() * len(yb)
    perda_v, acc_v = avaliar(rede, dl_valid)
    if (epoca + 1) % 10 == 0:
        print(f"época {epoca + 1:3d} | treino {soma / len(treino):.3f} | valid {perda_v:.3f} | acerto {acc_v:.3f}")
