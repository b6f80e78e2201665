# expect: nothing
"""House-price model with one embedding per categorical column and a shared regression head."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn

rng = np.random.default_rng(50)
torch.manual_seed(50)
n = 1200
df = pd.DataFrame({"bairro": rng.choice(["Centro", "Norte", "Sul", "Leste", "Oeste"], n),
                   "tipo": rng.choice(["casa", "apartamento", "loft"], n), "area": rng.normal(90, 25, n)})
base = {"Centro": 1.5, "Norte": -1.0, "Sul": 0.5, "Leste": -0.6, "Oeste": 0.1}
df["preco"] = df.bairro.map(base) + df.tipo.map({"casa": 0.6, "apartamento": 0.0, "loft": -0.7}) + 0.02 * (df.area - 90) + rng.normal(0, 0.2, n)
codes = {c: df[c].astype("category").cat.codes for c in ["bairro", "tipo"]}
cat = torch.tensor(np.stack([codes[c] for c in codes], 1), dtype=torch.long)
tr = 900
num = torch.tensor(((df.area - df.area[:tr].mean()) / df.area[:tr].std()).values, dtype=torch.float32)[:, None]
alvo = torch.tensor(((df.preco - df.preco[:tr].mean()) / df.preco[:tr].std()).values, dtype=torch.float32)


class PriceNet(nn.Module):
    def __init__(self, cards, dim=4):
        super().__init__()
        self.embeddings = nn.ModuleList([nn.Embedding(c, dim) for c in cards])
        self.columns = nn.ModuleList([nn.Linear(dim, dim) for _ in cards])
        self.head = nn.Sequential(nn.Linear(dim * len(cards) + 1, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, c, x):
        parts = [lin(emb(c[:, i])) for i, (lin, emb) in enumerate(zip(self.columns, self.embeddings))]
        return self.head(torch.cat(parts + [x], 1)).squeeze(1)


modelo = PriceNet([5, 3])
otimizador = torch.optim.Adam(modelo.parameters(), lr=0.005)
for epoca in range(20):
    modelo.train()
    soma = 0.0
    for idx in torch.randperm(tr).split(64):
        otimizador.zero_grad()
        perda = nn.functional.mse_loss(modelo(cat[idx], num[idx]), alvo[idx])
        perda.backward()
        otimizador.step()
        soma += perda.item() * len(idx)
    if epoca % 5 == 4:
        print(f"epoca {epoca + 1}: perda {soma / tr:.4f}")
modelo.eval()
with torch.no_grad():
    print("MSE teste", round(nn.functional.mse_loss(modelo(cat[tr:], num[tr:]), alvo[tr:]).item(), 4))
