# expect: duplicate_leakage @ 51
# allowed: duplicate_leakage @ 52
# Cancelamento de assinatura a partir da sequência de eventos do cliente (GRU).
import numpy as np
import torch
from sklearn.metrics import balanced_accuracy_score, recall_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEMENTE = 12
N_EVENTOS, COMPRIMENTO = 9, 10   # tipos de evento (0..8), tamanho da janela


def gerar_clientes(n=360):
    """Cada cliente: 10 eventos; quem cancela usa mais os eventos 6, 7 e 8."""
    rng = np.random.default_rng(SEMENTE)
    cancela = (rng.random(n) < 0.2).astype(np.int64)
    base = np.ones(N_EVENTOS) / N_EVENTOS
    risco = base.copy()
    risco[6:] *= 3.0
    risco /= risco.sum()
    seqs = np.stack([rng.choice(N_EVENTOS, COMPRIMENTO, p=risco if c else base) for c in cancela])
    return seqs, cancela


def equilibrar(seqs, rotulos, rng):
    """Repete linhas da classe rara até as duas classes terem o mesmo tamanho."""
    raros = np.flatnonzero(rotulos == 1)
    comuns = np.flatnonzero(rotulos == 0)
    extra = rng.choice(raros, size=len(comuns) - len(raros), replace=True)
    ordem = rng.permutation(np.concatenate([comuns, raros, extra]))
    return seqs[ordem], rotulos[ordem]


class LeitorDeEventos(nn.Module):
    def __init__(self, dim=16, oculto=32):
        super().__init__()
        self.emb = nn.Embedding(N_EVENTOS, dim)
        self.gru = nn.GRU(dim, oculto, batch_first=True)
        self.saida = nn.Linear(oculto, 1)

    def forward(self, eventos):
        _, h = self.gru(self.emb(eventos))
        return self.saida(h[-1]).squeeze(-1)


def preparar():
    rng = np.random.default_rng(SEMENTE + 1)
    seqs, rotulos = gerar_clientes()
    seqs, rotulos = equilibrar(seqs, rotulos, rng)
    tr_x, te_x, tr_y, te_y = train_test_split(
        seqs, rotulos, test_size=0.3, stratify=rotulos, random_state=SEMENTE)

    def como_tensores(x, y):
        return TensorDataset(torch.from_numpy(x), torch.from_numpy(y).float())

    return como_tensores(tr_x, tr_y), como_tensores(te_x, te_y)


def treinar(modelo, dados, epocas=12):
    carregador = DataLoader(dados, batch_size=48, shuffle=True)
    otim = torch.optim.Adam(modelo.parameters(), lr=8e-3)
    perda_fn = nn.BCEWithLogitsLoss()
    for ep in range(1, epocas + 1):
        modelo.train()
        soma = 0.0
        for x, y in carregador:
            perda = perda_fn(modelo(x), y)
            otim.zero_grad()
            perda.backward()
            otim.step()
            soma += perda.item() * len(y)
        if ep % 2 == 0:
            print(f"época {ep:2d}  perda {soma / len(dados):.4f}")


def avaliar(modelo, dados):
    x, y = dados.tensors
    modelo.eval()
    with torch.no_grad():
        previsto = (modelo(x) > 0).long().numpy()
    return balanced_accuracy_score(y.numpy(), previsto), recall_score(y.numpy(), previsto)


torch.manual_seed(SEMENTE)
treino, teste = preparar()
rede = LeitorDeEventos()
treinar(rede, treino)
acc, rec = avaliar(rede, teste)
print(f"teste ({len(teste)} clientes): acurácia balanceada {acc:.3f}, sensibilidade {rec:.3f}")
