# expect: softmax_wrong_dim @ 58
# allowed: softmax_wrong_dim @ 56
# allowed: softmax_wrong_dim @ 57
"""
Seq2seq com atenção: inverter uma sequência de símbolos.
Todos os tensores ficam no formato (tempo, lote), como no tutorial antigo.
"""
import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence

random.seed(7)
torch.manual_seed(7)

PAD, SOS = 0, 1
N_SIMBOLOS = 10                      # ids 2..11
VOCAB = N_SIMBOLOS + 2
OCULTO, LOTE, EPOCAS = 48, 32, 6


def gera_frases(qtd):
    """Frases todas diferentes entre si."""
    vistas = set()
    while len(vistas) < qtd:
        tam = random.randint(4, 7)
        vistas.add(tuple(random.randint(2, VOCAB - 1) for _ in range(tam)))
    frases = sorted(vistas)
    random.shuffle(frases)
    return frases


def monta_lote(frases):
    src = pad_sequence([torch.tensor(f) for f in frases], padding_value=PAD)
    tgt = pad_sequence([torch.tensor(f[::-1]) for f in frases], padding_value=PAD)
    return src, tgt


def lotes(frases, embaralha):
    ordem = list(range(len(frases)))
    if embaralha:
        random.shuffle(ordem)
    for i in range(0, len(ordem), LOTE):
        yield monta_lote([frases[j] for j in ordem[i:i + LOTE]])


class Atencao(nn.Module):
    def __init__(self, oculto):
        super().__init__()
        self.w = nn.Linear(oculto, oculto, bias=False)

    def forward(self, h, saidas, mascara):
        # h: (lote, oculto)   saidas: (tempo, lote, oculto)
        energia = (self.w(saidas) * h).sum(-1)
        energia = energia.masked_fill(~mascara, -1e9)
        pesos = F.softmax(energia, dim=1)
        return (pesos.unsqueeze(-1) * saidas).sum(0)


class Seq2Seq(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, OCULTO, padding_idx=PAD)
        self.encoder = nn.GRU(OCULTO, OCULTO)
        self.celula = nn.GRUCell(2 * OCULTO, OCULTO)
        self.atencao = Atencao(OCULTO)
        self.saida = nn.Linear(2 * OCULTO, VOCAB)

    def forward(self, src, tgt=None, passos=None):
        mascara = src != PAD
        saidas, h = self.encoder(self.emb(src))
        # estado final verdadeiro (último símbolo que não é PAD)
        ultimo = mascara.sum(0) - 1
        h = saidas[ultimo, torch.arange(src.size(1))]
        entrada = torch.full((src.size(1),), SOS)
        logits = []
        for t in range(passos if tgt is None else tgt.size(0)):
            ctx = self.atencao(h, saidas, mascara)
            h = self.celula(torch.cat([self.emb(entrada), ctx], 1), h)
            passo = self.saida(torch.cat([h, ctx], 1))
            logits.append(passo)
            entrada = tgt[t] if tgt is not None else passo.argmax(1)
        return torch.stack(logits)


def avalia(modelo, frases):
    modelo.eval()
    certos = total = 0
    with torch.no_grad():
        for src, tgt in lotes(frases, embaralha=False):
            pred = modelo(src, passos=tgt.size(0)).argmax(-1)
            ok = (pred == tgt) & (tgt != PAD)
            certos += ok.sum().item()
            total += (tgt != PAD).sum().item()
    return certos / total


frases = gera_frases(1000)
treino, validacao = frases[:800], frases[800:]

modelo = Seq2Seq()
otim = torch.optim.Adam(modelo.parameters(), lr=4e-3)

for epoca in range(1, EPOCAS + 1):
    modelo.train()
    soma, n = 0.0, 0
    for src, tgt in lotes(treino, embaralha=True):
        otim.zero_grad()
        logits = modelo(src, tgt)
        perda = F.cross_entropy(logits.reshape(-1, VOCAB), tgt.reshape(-1), ignore_index=PAD)
        perda.backward()
        nn.utils.clip_grad_norm_(modelo.parameters(), 2.0)
        otim.step()
        soma, n = soma + perda.item(), n + 1
    print(f"época {epoca}: perda {soma / n:.3f}  acerto por símbolo (validação) {avalia(modelo, validacao):.3f}")
