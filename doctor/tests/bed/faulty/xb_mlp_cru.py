# expect: dead_relu @ 33
# allowed: dead_relu @ 34
# allowed: dead_relu @ 40
# allowed: dead_relu @ 45
# mend: 33 →     w = torch.rand(n_ent, n_sai, generator=g) - 0.5
# MLP "na mão" para a tabela de câncer de mama: só tensores, autograd e SGD escrito por mim
# aula 05 - sem torch.nn, sem torch.optim
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

g = torch.Generator().manual_seed(2025)


# --- dados -----------------------------------------------------------------
def min_max(treino, *outros):
    """Leva cada coluna para [0, 1] usando só o treino."""
    menor, maior = treino.min(0).values, treino.max(0).values
    return [((t - menor) / (maior - menor)).clamp(0, 1) for t in (treino, *outros)]


tabela = load_breast_cancer()
X_tr, X_te, y_tr, y_te = train_test_split(
    tabela.data, tabela.target, test_size=0.25, stratify=tabela.target, random_state=1
)
X_tr, X_te = min_max(torch.tensor(X_tr).float(), torch.tensor(X_te).float())
y_tr, y_te = torch.tensor(y_tr).float(), torch.tensor(y_te).float()


# --- parâmetros ------------------------------------------------------------
def uniforme(n_ent, n_sai):
    """Pesos uniformes à maneira de He, para camadas com relu."""
    w = torch.rand(n_ent, n_sai, generator=g) - 1.0
    return w * 2 * (6 / n_ent) ** 0.5


def criar_parametros(tamanhos):
    parametros = []
    for n_ent, n_sai in zip(tamanhos[:-1], tamanhos[1:]):
        parametros += [uniforme(n_ent, n_sai), torch.zeros(n_sai)]
    return [p.requires_grad_() for p in parametros]


def relu(z):
    return z.clamp(min=0)


def rede(x, parametros):
    pares = list(zip(parametros[0::2], parametros[1::2]))
    for w, b in pares[:-1]:
        x = relu(x @ w + b)
    w, b = pares[-1]
    return (x @ w + b).squeeze(1)


# --- perda e otimização ----------------------------------------------------
def entropia_binaria(logito, alvo):
    # forma estável: max(z, 0) - z*y + log(1 + exp(-|z|))
    return (logito.clamp(min=0) - logito * alvo + torch.log1p(torch.exp(-logito.abs()))).mean()


class SGDMomento:
    def __init__(self, parametros, lr, beta=0.9):
        self.parametros, self.lr, self.beta = parametros, lr, beta
        self.velocidade = [torch.zeros_like(p) for p in parametros]

    @torch.no_grad()
    def passo(self):
        for p, v in zip(self.parametros, self.velocidade):
            v.mul_(self.beta).add_(p.grad)
            p.sub_(self.lr * v)

    def limpar(self):
        for p in self.parametros:
            p.grad = None


parametros = criar_parametros([X_tr.shape[1], 24, 12, 1])
otimizador = SGDMomento(parametros, lr=0.03)

for epoca in range(1, 31):
    total = 0.0
    for lote in torch.randperm(len(y_tr), generator=g).split(32):
        otimizador.limpar()
        perda = entropia_binaria(rede(X_tr[lote], parametros), y_tr[lote])
        perda.backward()
        otimizador.passo()
        total += perda.item() * len(lote)
    if epoca % 5 == 0:
        print(f"época {epoca:2d}: perda {total / len(y_tr):.4f}")

with torch.no_grad():
    previsto = (rede(X_te, parametros) > 0).float()
sens = previsto[y_te == 1].mean().item()
espec = 1 - previsto[y_te == 0].mean().item()
print(f"sensibilidade {sens:.3f}  especificidade {espec:.3f}  média {(sens + espec) / 2:.3f}")
