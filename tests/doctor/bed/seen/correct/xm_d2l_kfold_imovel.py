# expect: nothing
"""Preço de imóveis com validação cruzada k-fold e RMSE do logaritmo (dados gerados)."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils import data

torch.manual_seed(0)


def gerar_tabela(n, seed):
    rng = np.random.default_rng(seed)
    tab = pd.DataFrame({
        "area": rng.gamma(6.0, 20.0, n),
        "quartos": rng.integers(1, 6, n),
        "idade": rng.integers(0, 60, n),
        "distancia": rng.uniform(0.5, 20, n),
        "bairro": rng.choice(["centro", "norte", "sul", "praia"], n),
    })
    extra = tab["bairro"].map({"centro": 0.3, "norte": 0.0, "sul": 0.1, "praia": 0.5})
    logp = 4.0 + 0.8 * np.log(tab["area"]) + 0.05 * tab["quartos"] - 0.006 * tab["idade"]
    logp += -0.03 * tab["distancia"] + extra + rng.normal(0, 0.1, n)
    tab["preco"] = np.exp(logp)
    tab.loc[rng.random(n) < 0.05, "idade"] = np.nan
    return tab


def preparar(ajuste, *outras):
    """Padroniza com as estatísticas da primeira tabela; ausentes viram a média (zero)."""
    num = ["area", "quartos", "idade", "distancia"]
    media, desvio = ajuste[num].mean(), ajuste[num].std()
    saida = []
    for tab in (ajuste, *outras):
        z = ((tab[num] - media) / desvio).fillna(0.0)
        for b in ("centro", "norte", "sul", "praia"):
            z["bairro_" + b] = (tab["bairro"] == b).astype(float)
        x = torch.tensor(z.values, dtype=torch.float32)
        y = torch.tensor(np.log(tab["preco"].values), dtype=torch.float32).reshape(-1, 1)
        saida.append((x, y))
    return saida


def get_net(entradas, y_medio):
    net = nn.Sequential(nn.Linear(entradas, 32), nn.ReLU(), nn.Linear(32, 1))
    nn.init.constant_(net[-1].bias, y_medio)
    return net


def log_rmse(net, x, y):
    net.eval()
    with torch.no_grad():
        return torch.sqrt(nn.functional.mse_loss(net(x), y)).item()


def train(net, treino, valid, num_epochs, lr, wd, batch_size):
    iterador = data.DataLoader(data.TensorDataset(*treino), batch_size, shuffle=True)
    perda = nn.MSELoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=lr, weight_decay=wd)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)
    ls_treino, ls_valid = [], []
    for _ in range(num_epochs):
        net.train()
        for X, y in iterador:
            optimizer.zero_grad()
            l = perda(net(X), y)
            l.backward()
            optimizer.step()
        scheduler.step()
        ls_treino.append(log_rmse(net, *treino))
        if valid is not None:
            ls_valid.append(log_rmse(net, *valid))
    return ls_treino, ls_valid


def k_fold(k, tabela, **cfg):
    partes = np.array_split(np.random.default_rng(7).permutation(len(tabela)), k)
    soma_t = soma_v = 0.0
    for i in range(k):
        resto = np.concatenate([p for j, p in enumerate(partes) if j != i])
        treino, valid = preparar(tabela.iloc[resto], tabela.iloc[partes[i]])
        net = get_net(treino[0].shape[1], treino[1].mean().item())
        lt, lv = train(net, treino, valid, **cfg)
        soma_t, soma_v = soma_t + lt[-1], soma_v + lv[-1]
        print(f"fold {i + 1}: log rmse treino {lt[-1]:.4f}, validação {lv[-1]:.4f}")
    return soma_t / k, soma_v / k


tabela, final = gerar_tabela(900, 1), gerar_tabela(300, 2)
cfg = dict(num_epochs=25, lr=0.01, wd=1e-5, batch_size=64)
t, v = k_fold(5, tabela, **cfg)
print(f"média dos 5 folds: treino {t:.4f}, validação {v:.4f}")

treino, teste = preparar(tabela, final)
net = get_net(treino[0].shape[1], treino[1].mean().item())
lt, _ = train(net, treino, None, **cfg)
print(f"modelo final: treino {lt[-1]:.4f}, teste {log_rmse(net, *teste):.4f}")
