# expect: nll_without_log_softmax @ 55
# allowed: nll_without_log_softmax @ 49
# Etiquetador de sequências: compara GRU e LSTM bidirecionais em frases geradas
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence, pack_padded_sequence, pad_packed_sequence

SEMENTE = 3
torch.manual_seed(SEMENTE)
rng = np.random.default_rng(SEMENTE)
IGNORAR = -100

# 0 = enchimento; palavras 20..29 são ambíguas: a classe depende da palavra anterior
CLASSES = 3


def gerar_frase():
    n = rng.integers(5, 13)
    palavras = rng.integers(1, 30, size=n)
    rotulos = np.empty(n, dtype=np.int64)
    for i, p in enumerate(palavras):
        if p < 20:
            rotulos[i] = p % CLASSES
        else:
            rotulos[i] = (rotulos[i - 1] + 1) % CLASSES if i else 0
    return torch.from_numpy(palavras.astype(np.int64)), torch.from_numpy(rotulos)


def juntar(lote):
    tam = torch.tensor([len(x) for x, _ in lote])
    xs = pad_sequence([x for x, _ in lote], batch_first=True)
    ys = pad_sequence([y for _, y in lote], batch_first=True, padding_value=IGNORAR)
    return xs, ys, tam


class Etiquetador(nn.Module):
    def __init__(self, celula, dim=12, oculto=16):
        super().__init__()
        self.emb = nn.Embedding(30, dim, padding_idx=0)
        self.rnn = celula(dim, oculto, batch_first=True, bidirectional=True)
        self.saida = nn.Linear(2 * oculto, CLASSES)

    def forward(self, xs, tam):
        pacote = pack_padded_sequence(self.emb(xs), tam, batch_first=True,
                                      enforce_sorted=False)
        h, _ = pad_packed_sequence(self.rnn(pacote)[0], batch_first=True)
        return self.saida(h)


def perda_por_palavra(pontos, alvo):
    """Média sobre as palavras reais do lote."""
    pontos = pontos.transpose(1, 2)
    return F.nll_loss(pontos, alvo, ignore_index=IGNORAR)


def avaliar(modelo, carregador):
    modelo.eval()
    certas = total = 0
    with torch.inference_mode():
        for xs, ys, tam in carregador:
            real = ys != IGNORAR
            certas += (modelo(xs, tam).argmax(-1)[real] == ys[real]).sum().item()
            total += real.sum().item()
    return certas / total


frases = [gerar_frase() for _ in range(700)]
treino = torch.utils.data.DataLoader(frases[:520], batch_size=26, shuffle=True,
                                     collate_fn=juntar)
teste = torch.utils.data.DataLoader(frases[520:], batch_size=100, collate_fn=juntar)

for nome, celula in {"gru": nn.GRU, "lstm": nn.LSTM}.items():
    modelo = Etiquetador(celula)
    otim = torch.optim.AdamW(modelo.parameters(), lr=1e-2)
    for epoca in range(4):
        modelo.train()
        soma = 0.0
        for xs, ys, tam in treino:
            otim.zero_grad()
            perda = perda_por_palavra(modelo(xs, tam), ys)
            perda.backward()
            nn.utils.clip_grad_norm_(modelo.parameters(), 1.0)
            otim.step()
            soma += perda.item()
        print(f"{nome:5s} época {epoca + 1}: perda {soma / len(treino):.3f}")
    print(f"{nome:5s} acerto no teste: {avaliar(modelo, teste):.3f}")
