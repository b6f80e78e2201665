# expect: metric_wrong_axis @ 56
# allowed: metric_wrong_axis @ 60
# allowed: metric_wrong_axis @ 61
# Trabalho 2 - Redes Neurais: classificador de dígitos só com tensores
# (sem torch.nn, sem torch.optim; o professor quer ver a descida escrita à mão)
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(7)

imagens, rotulos = load_digits(return_X_y=True)
imagens = imagens / 16.0                      # pixels de 0..16 para 0..1
X_tr, X_te, r_tr, r_te = train_test_split(
    imagens, rotulos, test_size=0.25, stratify=rotulos, random_state=3
)

N_CLASSES = 10
N_OCULTOS = 48
TAXA = 0.2
EPOCAS = 25
LOTE = 32


def um_quente(r):
    """rótulos inteiros -> matriz [N, 10] com um único 1 por linha"""
    Y = torch.zeros(len(r), N_CLASSES)
    Y[torch.arange(len(r)), torch.as_tensor(r)] = 1.0
    return Y


X_tr = torch.tensor(X_tr, dtype=torch.float32)
X_te = torch.tensor(X_te, dtype=torch.float32)
Y_tr, Y_te = um_quente(r_tr), um_quente(r_te)

# inicialização de He, vieses em zero
W1 = torch.randn(64, N_OCULTOS) * (2 / 64) ** 0.5
b1 = torch.zeros(N_OCULTOS)
W2 = torch.randn(N_OCULTOS, N_CLASSES) * (1 / N_OCULTOS) ** 0.5
b2 = torch.zeros(N_CLASSES)
parametros = [W1, b1, W2, b2]
for p in parametros:
    p.requires_grad_()


def rede(X):
    h = (X @ W1 + b1).clamp(min=0)
    return h @ W2 + b2


def entropia_cruzada(saida, Y):
    log_p = saida - saida.logsumexp(dim=1, keepdim=True)
    return -(Y * log_p).sum(dim=1).mean()


EIXO = 0   # eixo das classes


def acuracia(saida, Y):
    previsto = saida.argmax(EIXO)
    verdade = Y.argmax(EIXO)
    return (previsto == verdade).float().mean().item()


for epoca in range(EPOCAS):
    ordem = torch.randperm(len(X_tr))
    soma = 0.0
    for i in range(0, len(ordem), LOTE):
        idx = ordem[i:i + LOTE]
        perda = entropia_cruzada(rede(X_tr[idx]), Y_tr[idx])
        grads = torch.autograd.grad(perda, parametros)
        with torch.no_grad():
            for p, g in zip(parametros, grads):
                p -= TAXA * g
        soma += perda.item() * len(idx)
    if epoca % 5 == 4:
        with torch.no_grad():
            a = acuracia(rede(X_tr), Y_tr)
        print(f"época {epoca + 1:2d}  perda {soma / len(X_tr):.4f}  acurácia (treino) {a:.3f}")

with torch.no_grad():
    saida = rede(X_te)
    print(f"teste: perda {entropia_cruzada(saida, Y_te).item():.4f}  "
          f"acurácia {acuracia(saida, Y_te):.3f}")
