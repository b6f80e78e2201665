# expect: nothing
# Names -> language with a hand-made RNN cell, one name at a time (after the PyTorch tutorial, names made up here)
import random

import torch
import torch.nn as nn

random.seed(2024)
torch.manual_seed(2024)

letters = "abcdefghijklmnopqrstuvwxyz"
n_letters = len(letters)
tails = {
    "Italian": ["ello", "ini", "azzo"],
    "Czech": ["ova", "ek", "cka"],
    "Japanese": ["moto", "shi", "mura"],
    "Scottish": ["mack", "burgh", "ie"],
}
heads = ["ba", "ce", "di", "fo", "gu", "ha", "ki", "lo", "mi", "na", "pe", "ru", "sa", "to", "va", "zu"]
all_categories = sorted(tails)


def make_name(category):
    return "".join(random.choices(heads, k=random.choice([1, 2, 2]))) + random.choice(tails[category])


category_lines = {c: sorted({make_name(c) for _ in range(420)}) for c in all_categories}
train_pairs, test_pairs = [], []
for c, lines in category_lines.items():
    random.shuffle(lines)
    train_pairs += [(name, c) for name in lines[:200]]
    test_pairs += [(name, c) for name in lines[200:240]]


def line_to_tensor(line):
    tensor = torch.zeros(len(line), 1, n_letters)
    for li, letter in enumerate(line):
        tensor[li][0][letters.index(letter)] = 1
    return tensor


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size, hidden_size)
        self.h2h = nn.Linear(hidden_size, hidden_size)
        self.h2o = nn.Linear(hidden_size, output_size)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, input, hidden):
        hidden = torch.tanh(self.i2h(input) + self.h2h(hidden))
        return self.softmax(self.h2o(hidden)), hidden

    def init_hidden(self):
        return torch.zeros(1, self.hidden_size)


def category_from_output(output):
    return all_categories[output.topk(1)[1][0].item()]


def run(line_tensor):
    hidden = rnn.init_hidden()
    for i in range(line_tensor.size(0)):
        output, hidden = rnn(line_tensor[i], hidden)
    return output


rnn = RNN(n_letters, 64, len(all_categories))
criterion = nn.NLLLoss()
optimizer = torch.optim.SGD(rnn.parameters(), lr=0.03, momentum=0.5)

for epoch in range(1, 4):
    random.shuffle(train_pairs)
    current_loss = 0.0
    rnn.train()
    for name, category in train_pairs:
        target = torch.tensor([all_categories.index(category)])
        rnn.zero_grad()
        loss = criterion(run(line_to_tensor(name)), target)
        loss.backward()
        nn.utils.clip_grad_norm_(rnn.parameters(), 3.0)
        optimizer.step()
        current_loss += loss.item()
    print(f"epoch {epoch}  average loss {current_loss / len(train_pairs):.4f}")

confusion = torch.zeros(len(all_categories), len(all_categories))
rnn.eval()
with torch.no_grad():
    for name, category in test_pairs:
        guess = category_from_output(run(line_to_tensor(name)))
        confusion[all_categories.index(category)][all_categories.index(guess)] += 1
print(f"test accuracy {confusion.diag().sum().item() / confusion.sum().item():.3f}")
for i, c in enumerate(all_categories):
    row = confusion[i] / confusion[i].sum()
    print(f"  {c:9s}", " ".join(f"{v:.2f}" for v in row.tolist()))
