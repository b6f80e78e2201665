# expect: nothing
"""Evasao de clientes: validacao cruzada com uma rede pequena.

O mesmo codigo serve para a meta binaria (cancelou) e para a de regressao (gasto_futuro);
a tarefa e escolhida na linha de comando.
"""
import argparse

import numpy as np
import pandas as pd
import torch
from sklearn.compose import make_column_transformer
from sklearn.metrics import log_loss, mean_absolute_error, roc_auc_score
from sklearn.model_selection import KFold
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

NUMERICAS = ["meses", "mensalidade", "chamados"]
CATEGORICAS = ["plano", "regiao"]
PERDAS = {
    "binaria": nn.BCELoss,
    "regressao": nn.MSELoss,
}
METAS = {"binaria": "cancelou", "regressao": "gasto_futuro"}


def gerar_clientes(n, semente):
    g = np.random.default_rng(semente)
    df = pd.DataFrame({
        "meses": g.gamma(2.0, 12.0, n),
        "mensalidade": g.normal(80, 20, n).clip(20),
        "chamados": g.poisson(1.5, n).astype(float),
        "plano": g.choice(["pre", "controle", "pos"], n),
        "regiao": g.choice(["norte", "nordeste", "sul", "sudeste"], n),
    })
    z = (-0.08 * (df["meses"] - 24) + 0.9 * (df["chamados"] - 1.5)
         + df["plano"].map({"pre": 1.0, "controle": 0.0, "pos": -1.0}))
    df["cancelou"] = (g.random(n) < 1 / (1 + np.exp(-z))).astype(float)
    df["gasto_futuro"] = (df["mensalidade"] * (1.5 - 0.2 * z.clip(-3, 3)) + g.normal(0, 5, n)) / 100
    return df


def cabeca(entradas, tarefa):
    """Ultima camada: probabilidade na tarefa binaria, valor livre na regressao."""
    camadas = [nn.Linear(entradas, 1)]
    if tarefa == "binaria":
        camadas.append(nn.Sigmoid())
    return nn.Sequential(*camadas)


def montar_rede(entradas, tarefa, largura=32):
    corpo = nn.Sequential(nn.Linear(entradas, largura), nn.ReLU(), nn.Linear(largura, largura), nn.ReLU())
    return nn.Sequential(corpo, cabeca(largura, tarefa))


def treinar(rede, dados, tarefa, epocas, taxa):
    criterio = PERDAS[tarefa]()
    otimizador = torch.optim.Adam(rede.parameters(), lr=taxa)
    carregador = DataLoader(dados, batch_size=64, shuffle=True)
    historico = []
    rede.train()
    for _ in range(epocas):
        total = 0.0
        for x, y in carregador:
            otimizador.zero_grad()
            perda = criterio(rede(x), y)
            perda.backward()
            otimizador.step()
            total += perda.item() * len(x)
        historico.append(total / len(dados))
    return historico


@torch.no_grad()
def prever(rede, x):
    rede.eval()
    return rede(x).numpy()[:, 0]


def metricas(tarefa, real, previsto):
    if tarefa == "binaria":
        return {"auc": roc_auc_score(real, previsto), "logloss": log_loss(real, previsto)}
    return {"mae": mean_absolute_error(real, previsto)}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--tarefa", choices=list(PERDAS), default="binaria")
    ap.add_argument("--epocas", type=int, default=12)
    ap.add_argument("--taxa", type=float, default=3e-3)
    ap.add_argument("--semente", type=int, default=5)
    args = ap.parse_args()

    df = gerar_clientes(900, args.semente)
    meta = METAS[args.tarefa]
    linhas = []
    dobras = KFold(n_splits=4, shuffle=True, random_state=args.semente)
    for k, (tr, va) in enumerate(dobras.split(df)):
        torch.manual_seed(args.semente + k)
        prep = make_column_transformer(
            (StandardScaler(), NUMERICAS), (OneHotEncoder(sparse_output=False, handle_unknown="ignore"), CATEGORICAS))
        x_tr = torch.tensor(prep.fit_transform(df.iloc[tr]), dtype=torch.float32)
        x_va = torch.tensor(prep.transform(df.iloc[va]), dtype=torch.float32)
        y_tr = torch.tensor(df[meta].to_numpy()[tr], dtype=torch.float32).unsqueeze(1)
        rede = montar_rede(x_tr.shape[1], args.tarefa)
        hist = treinar(rede, TensorDataset(x_tr, y_tr), args.tarefa, args.epocas, args.taxa)
        linhas.append({"dobra": k, "perda_ini": hist[0], "perda_fim": hist[-1],
                       **metricas(args.tarefa, df[meta].to_numpy()[va], prever(rede, x_va))})
    res = pd.DataFrame(linhas).set_index("dobra")
    print(res.round(4).to_string())
    print("media:", res.mean().round(4).to_dict())


if __name__ == "__main__":
    main()
