# expect: nothing
# Preço de casas (tabela simulada): três larguras de rede, média das previsões no fim.
import numpy as np
import pandas as pd
import torch
from sklearn.compose import make_column_transformer
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn, optim

torch.manual_seed(42)
r = np.random.default_rng(42)

n = 2000
casas = pd.DataFrame({
    "zona": r.choice(["centro", "norte", "sul", "praia"], n),
    "area": r.gamma(6, 18, n),
    "quartos": r.integers(1, 6, n),
    "idade": r.uniform(0, 80, n),
})
preco = (
    1.9 * casas.area + 12 * casas.quartos - 0.6 * casas.idade
    + casas.zona.map({"centro": 40, "norte": 0, "sul": 15, "praia": 90})
    + 0.6 * casas.area * (casas.zona == "praia")
    + r.normal(0, 15, n)
)

casas_tr, casas_te, p_tr, p_te = train_test_split(casas, preco.to_numpy(), test_size=0.25, random_state=42)
prep = make_column_transformer(
    (OneHotEncoder(sparse_output=False), ["zona"]),
    (StandardScaler(), ["area", "quartos", "idade"]),
)
X_tr = torch.tensor(prep.fit_transform(casas_tr), dtype=torch.float32)
X_te = torch.tensor(prep.transform(casas_te), dtype=torch.float32)
m, d = p_tr.mean(), p_tr.std()
y_tr = torch.tensor((p_tr - m) / d, dtype=torch.float32).unsqueeze(1)


def novo_otimizador(params, lr, momentum, decaimento):
    params = list(params)
    pesos = [p for p in params if p.ndim > 1]
    vieses = [p for p in params if p.ndim == 1]
    return optim.SGD(
        [{"params": pesos, "weight_decay": decaimento}, {"params": vieses, "weight_decay": 0.0}],
        lr=lr, momentum=momentum,
    )


def ajustar(largura, epocas=20, lote=50):
    rede = nn.Sequential(nn.Linear(X_tr.shape[1], largura), nn.ReLU(), nn.Linear(largura, largura), nn.ReLU(), nn.Linear(largura, 1))
    otim = novo_otimizador(rede.parameters(), 0.02, 0.9, 1e-4)
    for ep in range(epocas):
        soma = 0.0
        for idx in torch.randperm(len(X_tr)).split(lote):
            otim.zero_grad()
            perda = nn.functional.mse_loss(rede(X_tr[idx]), y_tr[idx])
            perda.backward()
            otim.step()
            soma += perda.item() * len(idx)
    print(f"largura {largura:3d}: perda de treino final {soma / len(X_tr):.4f}")
    return rede.eval()


redes = [ajustar(w) for w in (16, 32, 64)]
with torch.no_grad():
    prev = torch.stack([rede(X_te) for rede in redes]).mean(dim=0).squeeze(1).numpy() * d + m
print(f"teste: MAE {mean_absolute_error(p_te, prev):.1f} mil, R2 {r2_score(p_te, prev):.3f}")
