# expect: softmax_before_cross_entropy @ 58
# allowed: softmax_before_cross_entropy @ 53
# allowed: softmax_before_cross_entropy @ 77
# classify made-up surnames by origin, character-level LSTM with packed sequences
import random
import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence, pack_padded_sequence
from torch.utils.data import DataLoader

random.seed(42)
torch.manual_seed(42)

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
ENDINGS = {
    "polish": ["ski", "wicz", "czyk"], "italian": ["ini", "etti", "ucci"],
    "dutch": ["stra", "veld", "huis"], "greek": ["poulos", "idis", "akis"],
    "german": ["mann", "bauer", "stein"], "russian": ["ov", "enko", "sky"],
    "english": ["son", "ton", "ford"], "swedish": ["sson", "lund", "qvist"],
    "armenian": ["ian", "yan", "ants"], "finnish": ["nen", "la", "maki"],
    "basque": ["eta", "aga", "berri"], "georgian": ["dze", "shvili", "uri"],
    "turkish": ["oglu", "gil", "turk"], "french": ["eau", "ard", "ier"],
    "spanish": ["ez", "illo", "ada"], "romanian": ["escu", "eanu", "oiu"],
    "irish": ["nelly", "gan", "ghue"], "welsh": ["wyn", "ddyn", "llan"],
}
ORIGINS = list(ENDINGS)
SYLL = ["ka", "mo", "lin", "ber", "to", "ran", "vi", "sal", "pet", "gor", "dan", "ma", "ro", "lu"]


def make_name():
    label = random.randrange(len(ORIGINS))
    stem = "".join(random.choices(SYLL, k=random.randint(1, 3)))
    return stem + random.choice(ENDINGS[ORIGINS[label]]), label


def encode(name):
    return torch.tensor([ALPHABET.index(c) + 1 for c in name])


def collate(batch):
    batch = sorted(batch, key=lambda b: -len(b[0]))
    seqs = [encode(n) for n, _ in batch]
    lens = torch.tensor([len(s) for s in seqs])
    return pad_sequence(seqs, batch_first=True), lens, torch.tensor([y for _, y in batch])


class OriginLSTM(nn.Module):
    def __init__(self, hidden=48):
        super().__init__()
        self.embed = nn.Embedding(len(ALPHABET) + 1, 16, padding_idx=0)
        self.lstm = nn.LSTM(16, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, len(ORIGINS))
        self.softmax = nn.Softmax(dim=1)

    def forward(self, x, lens):
        packed = pack_padded_sequence(self.embed(x), lens, batch_first=True)
        _, (h, _) = self.lstm(packed)
        return self.softmax(self.fc(h[-1]))


names = list(dict.fromkeys(make_name() for _ in range(7000)))
random.shuffle(names)
n_test = len(names) // 5
train_loader = DataLoader(names[n_test:], batch_size=64, shuffle=True, collate_fn=collate)
test_loader = DataLoader(names[:n_test], batch_size=256, collate_fn=collate)

net = OriginLSTM()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)

for epoch in range(5):
    net.train()
    total = 0.0
    for x, lens, y in train_loader:
        optimizer.zero_grad()
        out = net(x, lens)
        loss = criterion(out, y)
        loss.backward()
        optimizer.step()
        total += loss.item()
    net.eval()
    good = 0
    with torch.no_grad():
        for x, lens, y in test_loader:
            good += (net(x, lens).argmax(1) == y).sum().item()
    print(f"epoch {epoch + 1}: train loss {total / len(train_loader):.3f}, test accuracy {good / n_test:.3f}")
