# expect: nothing
"""Kommentare verschiedener Länge, nach Länge gebündelt, mit einer LSTM eingeordnet."""
import random

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset, Sampler

random.seed(30)
torch.manual_seed(30)


class Kommentare(Dataset):
    """Wörter sind Nummern; einige deuten schwach auf die Klasse hin."""

    def __init__(self, n, worte=120):
        self.worte = worte
        self.x, self.y = [], []
        for i in range(n):
            k = i % 2
            laenge = random.randint(5, 18)
            satz = [random.randint(1, worte) for _ in range(laenge)]
            for j in range(laenge):
                if random.random() < 0.18:
                    satz[j] = random.randint(1, 15) + 15 * k
            self.x.append(torch.tensor(satz))
            self.y.append(k)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i]

    def laengen(self):
        return [len(s) for s in self.x]


class NachLaenge(Sampler):
    """Bündel ähnlicher Länge, in zufälliger Folge."""

    def __init__(self, laengen, groesse, nur=None):
        self.laengen, self.groesse = laengen, groesse
        self.nur = list(range(len(laengen))) if nur is None else list(nur)

    def __len__(self):
        return -(-len(self.nur) // self.groesse)

    def __iter__(self):
        folge = sorted(self.nur, key=lambda i: (self.laengen[i], random.random()))
        b = [folge[i : i + self.groesse] for i in range(0, len(folge), self.groesse)]
        random.shuffle(b)
        return iter(b)


def buendeln(zeilen):
    x, y = zip(*zeilen)
    return pad_sequence(x, batch_first=True), torch.tensor([len(s) for s in x]), torch.tensor(y)


class Leser(nn.Module):
    def __init__(self, worte):
        super().__init__()
        self.emb = nn.Embedding(worte + 1, 32, padding_idx=0)
        self.lstm = nn.LSTM(32, 48, batch_first=True)
        self.aus = nn.Linear(48, 2)

    def forward(self, x, n):
        gepackt = pack_padded_sequence(self.emb(x), n, batch_first=True, enforce_sorted=False)
        return self.aus(self.lstm(gepackt)[1][0][-1])


daten = Kommentare(1200)
nummern = torch.randperm(len(daten)).tolist()
lern, pruef = nummern[:900], nummern[900:]
sampler = NachLaenge(daten.laengen(), 32, nur=lern)
lernlader = DataLoader(daten, batch_sampler=sampler, collate_fn=buendeln)
prueflader = DataLoader(
    daten, batch_sampler=NachLaenge(daten.laengen(), 100, nur=pruef), collate_fn=buendeln
)

netz = Leser(daten.worte)
opt = torch.optim.Adam(netz.parameters(), lr=3e-3)
for runde in range(1, 9):
    netz.train()
    summe = anzahl = 0
    for x, n, y in lernlader:
        opt.zero_grad()
        verlust = nn.functional.cross_entropy(netz(x, n), y)
        verlust.backward()
        opt.step()
        summe += verlust.item() * len(y)
        anzahl += len(y)
    if runde % 2 == 0:
        print(f"Runde {runde}: Verlust {summe / anzahl:.3f}")

netz.eval()
richtig = 0
with torch.no_grad():
    for x, n, y in prueflader:
        richtig += int((netz(x, n).argmax(1) == y).sum())
print(f"Prüfung an {len(pruef)} Kommentaren: {richtig / len(pruef):.3f}")
