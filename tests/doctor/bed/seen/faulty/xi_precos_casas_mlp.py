# expect: nan_inputs @ 35
# allowed: nan_inputs @ 40
# Regressão de preços com uma rede pequena; dados sintéticos com anúncios de imóveis
import numpy as np
import pandas as pd
import torch
from torch import nn
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

torch.manual_seed(11)
rng = np.random.default_rng(11)


def gerar_anuncios(n=1500):
    area = rng.gamma(6.0, 15.0, n) + 20
    quartos = rng.integers(0, 5, n)
    idade = rng.uniform(0, 60, n)
    distancia = rng.exponential(6.0, n)
    preco = 1.8 * area + 12 * quartos - 0.6 * idade - 3.0 * distancia + rng.normal(0, 8, n) + 60
    df = pd.DataFrame({"area": area, "quartos": quartos, "idade": idade,
                       "distancia": distancia, "preco": preco})
    # alguns anunciantes não informam a idade do imóvel
    df.loc[rng.random(n) < 0.06, "idade"] = np.nan
    return df


dados = gerar_anuncios()
print(dados.describe().round(1).to_string())

colunas = ["area", "quartos", "idade", "distancia"]
treino, teste = train_test_split(dados, test_size=0.2, random_state=11)

mediana = treino[colunas].median()
escala_x = StandardScaler().fit(treino[colunas])
media_y, desvio_y = treino["preco"].mean(), treino["preco"].std()


def para_tensores(tabela):
    x = torch.tensor(escala_x.transform(tabela[colunas]), dtype=torch.float32)
    y = torch.tensor(((tabela["preco"] - media_y) / desvio_y).to_numpy(), dtype=torch.float32)
    return x, y.unsqueeze(1)


x_treino, y_treino = para_tensores(treino)
x_teste, y_teste = para_tensores(teste)

modelo = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))
otimizador = torch.optim.Adam(modelo.parameters(), lr=5e-3)
perda_fn = nn.MSELoss()

for epoca in range(30):
    modelo.train()
    ordem = torch.randperm(len(x_treino))
    total = 0.0
    for lote in ordem.split(64):
        otimizador.zero_grad()
        perda = perda_fn(modelo(x_treino[lote]), y_treino[lote])
        perda.backward()
        otimizador.step()
        total += perda.item() * len(lote)
    if (epoca + 1) % 10 == 0:
        print(f"época {epoca + 1}: perda de treino {total / len(x_treino):.4f}")

modelo.eval()
with torch.no_grad():
    erro = (modelo(x_teste) - y_teste).abs().mean().item() * desvio_y
print(f"erro absoluto médio no teste: {erro:.2f} mil reais")
