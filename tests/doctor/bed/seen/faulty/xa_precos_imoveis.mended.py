# expect: nothing
# %% Kaggle - Preço de imóveis com PyTorch (kernel para iniciantes)
# Os dados aqui são simulados com as mesmas colunas da competição, para rodar sem download.
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.metrics import mean_absolute_percentage_error, r2_score
from sklearn.model_selection import train_test_split

RANDOM_STATE = 77
np.random.seed(RANDOM_STATE)
torch.manual_seed(RANDOM_STATE)


# %% Leitura
def le_dados(n=900):
    d = pd.DataFrame({
        "area_m2": np.random.gamma(6, 20, n),
        "terreno_m2": np.random.gamma(4, 90, n),
        "quartos": np.random.randint(1, 6, n).astype(float),
        "ano": np.random.randint(1950, 2023, n).astype(float),
        "renda_bairro": np.random.lognormal(8.2, 0.4, n),
        "dist_metro_m": np.random.exponential(1500, n),
    })
    log_preco = (11.3 + 0.004 * d.area_m2 + 0.0006 * d.terreno_m2 + 0.05 * d.quartos
                 + 0.006 * (d.ano - 1990) + 0.00009 * d.renda_bairro - 0.00012 * d.dist_metro_m)
    d["preco"] = np.exp(log_preco + np.random.normal(0, 0.12, n))
    return d


# %% Pré-processamento
def padroniza(treino, teste, colunas):
    """Devolve cópias com as colunas em z-score (média e desvio só do treino)."""
    media, desvio = treino[colunas].mean(), treino[colunas].std()
    novo_treino, novo_teste = treino.copy(), teste.copy()
    novo_treino[colunas] = (treino[colunas] - media) / desvio
    novo_teste[colunas] = (teste[colunas] - media) / desvio
    return novo_treino, novo_teste


dados = le_dados()
colunas = [c for c in dados.columns if c != "preco"]
treino, teste = train_test_split(dados, test_size=0.25, random_state=RANDOM_STATE)
treino, teste = padroniza(treino, teste, colunas)

# o alvo é o log do preço, centrado e reduzido
log_tr = np.log(treino["preco"])
mu, sigma = log_tr.mean(), log_tr.std()


def para_tensores(df):
    x = torch.tensor(df[colunas].to_numpy(), dtype=torch.float32)
    alvo = torch.tensor(((np.log(df["preco"]) - mu) / sigma).to_numpy(), dtype=torch.float32)
    return x, alvo.view(-1, 1)


X_tr, y_tr = para_tensores(treino)
X_te, y_te = para_tensores(teste)


# %% Modelo e treino
class RedePreco(nn.Module):
    def __init__(self, n_entradas):
        super().__init__()
        self.f1 = nn.Linear(n_entradas, 32)
        self.f2 = nn.Linear(32, 16)
        self.saida = nn.Linear(16, 1)

    def forward(self, x):
        x = torch.tanh(self.f1(x))
        x = torch.tanh(self.f2(x))
        return self.saida(x)


def fit(modelo, X, y, epocas=30, lote=32, lr=0.05):
    opt = torch.optim.SGD(modelo.parameters(), lr=lr, momentum=0.9)
    custo = nn.MSELoss()
    for epoca in range(epocas):
        acumulado = 0.0
        modelo.train()
        for idx in torch.randperm(len(X)).split(lote):
            opt.zero_grad()
            erro = custo(modelo(X[idx]), y[idx])
            erro.backward()
            opt.step()
            acumulado += erro.item() * len(idx)
        if (epoca + 1) % 6 == 0:
            print(f"época {epoca + 1:2d} - EQM de treino {acumulado / len(X):.4f}")


modelo = RedePreco(len(colunas))
fit(modelo, X_tr, y_tr)

# %% Avaliação
modelo.eval()
with torch.no_grad():
    z = modelo(X_te).squeeze(1).numpy()
previsto = np.exp(z * sigma + mu)
real = teste["preco"].to_numpy()
print(f"R2 (log) no teste: {r2_score(np.log(real), np.log(previsto)):.3f}")
print(f"erro percentual médio: {100 * mean_absolute_percentage_error(real, previsto):.1f}%")
