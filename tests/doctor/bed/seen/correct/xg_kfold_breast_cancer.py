# expect: nothing
# Validação cruzada, média e desvio das dobras
import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from torch import nn

SEMENTE, DOBRAS, EPOCAS, LOTE = 2024, 4, 12, 32
X, y = load_breast_cancer(return_X_y=True)
oof = np.zeros(len(y))
notas = []


def para_tensor(a):
    return torch.tensor(a, dtype=torch.float32)


for dobra, (tr, va) in enumerate(StratifiedKFold(DOBRAS, shuffle=True, random_state=SEMENTE).split(X, y)):
    torch.manual_seed(SEMENTE + dobra)
    escala = StandardScaler().fit(X[tr])
    x_tr, x_va = para_tensor(escala.transform(X[tr])), para_tensor(escala.transform(X[va]))
    y_tr = para_tensor(y[tr])
    modelo = nn.Sequential(nn.Linear(30, 24), nn.ReLU(), nn.Dropout(0.2), nn.Linear(24, 1))
    otim = torch.optim.AdamW(modelo.parameters(), lr=5e-3, weight_decay=1e-2)
    criterio = nn.BCEWithLogitsLoss()
    modelo.train()
    for epoca in range(EPOCAS):
        soma = 0.0
        for idx in torch.randperm(len(x_tr)).split(LOTE):
            otim.zero_grad()
            perda = criterio(modelo(x_tr[idx]).squeeze(1), y_tr[idx])
            perda.backward()
            otim.step()
            soma += perda.item() * len(idx)
    modelo.eval()
    with torch.no_grad():
        oof[va] = torch.sigmoid(modelo(x_va).squeeze(1)).numpy()
    notas.append(roc_auc_score(y[va], oof[va]))
    print(f"dobra {dobra}: perda treino {soma / len(x_tr):.4f}  AUC {notas[-1]:.4f}")

print(f"AUC média {np.mean(notas):.4f} +- {np.std(notas):.4f}")
print(f"acurácia balanceada fora da dobra {balanced_accuracy_score(y, oof > 0.5):.4f}")
