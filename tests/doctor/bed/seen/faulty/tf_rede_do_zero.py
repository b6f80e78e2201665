# expect: symmetric_init @ 19
"""Uma rede neural do zero: two layers on raw tensors, no nn.Module, no optimizer class (blog post, part 2)."""
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
N_OCULTO, TAXA, EPOCAS, LOTE = 20, 0.1, 40, 16

X, y = load_wine(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.3, random_state=4, stratify=y)
media, desvio = X_tr.mean(axis=0), X_tr.std(axis=0)
X_tr = torch.tensor((X_tr - media) / desvio, dtype=torch.float32)
X_te = torch.tensor((X_te - media) / desvio, dtype=torch.float32)
y_tr, y_te = torch.tensor(y_tr), torch.tensor(y_te)


def novo_peso(entrada, saida):
    w = torch.ones(entrada, saida) * entrada ** -0.5
    return w.requires_grad_()


def novo_vies(saida):
    return torch.zeros(saida, requires_grad=True)


W1, b1 = novo_peso(13, N_OCULTO), novo_vies(N_OCULTO)
W2, b2 = novo_peso(N_OCULTO, 3), novo_vies(3)
parametros = [W1, b1, W2, b2]


def rede(x):
    oculto = torch.tanh(x @ W1 + b1)
    return oculto @ W2 + b2


def entropia_cruzada(saida, alvo):
    log_p = saida - saida.logsumexp(dim=1, keepdim=True)
    return -log_p[torch.arange(len(alvo)), alvo].mean()


def passo():
    with torch.no_grad():
        for p in parametros:
            p -= TAXA * p.grad
            p.grad = None


for epoca in range(EPOCAS):
    ordem = torch.randperm(len(X_tr))
    soma = 0.0
    for ini in range(0, len(ordem), LOTE):
        linhas = ordem[ini:ini + LOTE]
        perda = entropia_cruzada(rede(X_tr[linhas]), y_tr[linhas])
        perda.backward()
        passo()
        soma += perda.item() * len(linhas)
    if epoca % 10 == 9:
        print(f"epoca {epoca + 1:3d}  perda {soma / len(X_tr):.4f}")

with torch.no_grad():
    acertos = (rede(X_te).argmax(1) == y_te).float().mean().item()
print(f"acuracia no teste: {acertos:.3f}")
