# expect: nothing
"""Aula 12: knowledge distillation, a big teacher and a small student on the digits."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(17)
TEMPERATURA, ALFA = 3.0, 0.6
X, y = load_digits(return_X_y=True)
X = torch.tensor(X / 16.0, dtype=torch.float32)
X_tr, X_te, y_tr, y_te = train_test_split(X, torch.tensor(y), test_size=0.3, random_state=17, stratify=y)

professor = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
aluno = nn.Sequential(nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 10))


def perda_professor(x, alvo):
    return F.cross_entropy(professor(x), alvo)


def perda_aluno(x, alvo):
    with torch.no_grad():
        suave = F.softmax(professor(x) / TEMPERATURA, dim=1)
    saida = aluno(x)
    imitar = F.kl_div(F.log_softmax(saida / TEMPERATURA, dim=1), suave, reduction="batchmean")
    return ALFA * TEMPERATURA ** 2 * imitar + (1 - ALFA) * F.cross_entropy(saida, alvo)


def ajustar(rede, perda_fn, epocas, lr):
    otimizador = torch.optim.Adam(rede.parameters(), lr=lr)
    rede.train()
    for epoca in range(epocas):
        soma = 0.0
        for linhas in torch.randperm(len(X_tr)).split(64):
            otimizador.zero_grad()
            perda = perda_fn(X_tr[linhas], y_tr[linhas])
            perda.backward()
            otimizador.step()
            soma += perda.item() * len(linhas)
    print(f"perda da ultima epoca: {soma / len(X_tr):.4f}")
    rede.eval()


def acuracia(rede):
    rede.eval()
    with torch.no_grad():
        return (rede(X_te).argmax(dim=1) == y_te).float().mean().item()


ajustar(professor, perda_professor, epocas=12, lr=3e-3)
ajustar(aluno, perda_aluno, epocas=15, lr=5e-3)
print(f"professor {acuracia(professor):.3f}  aluno {acuracia(aluno):.3f}")
