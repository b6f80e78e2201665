# expect: softmax_wrong_dim @ 37
# mend: 37 →         pesos = F.softmax(e, dim=1)
# -*- coding: utf-8 -*-
# Reconhecimento de gestos: GRU + atenção sobre os passos de tempo.
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(8)
np.random.seed(8)

N_CLASSES, PASSOS, CANAIS = 5, 30, 4
MOLDES = np.random.randn(N_CLASSES, 6, CANAIS) * 1.4


def gerar_gestos(n):
    x = np.random.randn(n, PASSOS, CANAIS) * 1.0
    y = np.arange(n) % N_CLASSES
    for i in range(n):
        ini = np.random.randint(0, PASSOS - 6)
        x[i, ini:ini + 6] += MOLDES[y[i]]
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y)


class GestoNet(nn.Module):
    def __init__(self, oculto=32):
        super().__init__()
        self.gru = nn.GRU(CANAIS, oculto, batch_first=True)
        self.pontos = nn.Sequential(nn.Linear(oculto, 16), nn.Tanh(), nn.Linear(16, 1))
        self.classes = nn.Linear(oculto, N_CLASSES)

    def forward(self, x):
        h, _ = self.gru(x)                      # (lote, passos, oculto)
        e = self.pontos(h).squeeze(-1)          # (lote, passos)
        pesos = F.softmax(e, dim=0)
        contexto = torch.bmm(pesos.unsqueeze(1), h).squeeze(1)
        return self.classes(contexto)


def exatidao(rede, carregador):
    rede.eval()
    certos = total = 0
    with torch.no_grad():
        for xb, yb in carregador:
            certos += (rede(xb).argmax(dim=1) == yb).sum().item()
            total += len(yb)
    return certos / total


treino = TensorDataset(*gerar_gestos(1000))
valid = TensorDataset(*gerar_gestos(300))
teste = TensorDataset(*gerar_gestos(1000))
dl_treino = DataLoader(treino, batch_size=32, shuffle=True)
dl_valid = DataLoader(valid, batch_size=300)
dl_teste = DataLoader(teste, batch_size=500)

rede = GestoNet()
opt = torch.optim.AdamW(rede.parameters(), lr=5e-3, weight_decay=1e-2)
EPOCAS = 12
agenda = torch.optim.lr_scheduler.LambdaLR(opt, lambda ep: 1.0 - ep / EPOCAS)

melhor = -1.0
for ep in range(EPOCAS):
    rede.train()
    acumulado, vistos = 0.0, 0
    for xb, yb in dl_treino:
        opt.zero_grad()
        custo = F.cross_entropy(rede(xb), yb)
        custo.backward()
        nn.utils.clip_grad_norm_(rede.parameters(), 5.0)
        opt.step()
        acumulado += custo.item() * len(yb)
        vistos += len(yb)
    agenda.step()
    acc = exatidao(rede, dl_valid)
    print(f"[{ep + 1:02d}/{EPOCAS}] custo {acumulado / vistos:.4f} | exatidão validação {acc:.3f}")
    if acc > melhor:
        melhor = acc
        guardado = {k: v.detach().clone() for k, v in rede.state_dict().items()}

rede.load_state_dict(guardado)
print(f"exatidão no teste: {exatidao(rede, dl_teste):.3f}")
