# expect: nothing
# looks suspicious: the decoder's own guess is detached before it is fed back, two optimizers share one loss,
# the loss is summed over the words of a sentence before one backward.
import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import optim

SOS, EOS, hidden_size, MAX_LENGTH = 0, 1, 24, 7
random.seed(0)
torch.manual_seed(0)
pairs = []
for _ in range(60):
    word = [random.randint(2, 8) for _ in range(random.randint(2, 5))]
    pairs.append(([*word, EOS], [*reversed(word), EOS]))


class EncoderRNN(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.embedding = nn.Embedding(input_size, hidden_size)
        self.gru = nn.GRU(hidden_size, hidden_size)

    def forward(self, input, hidden):
        return self.gru(self.embedding(input).view(1, 1, -1), hidden)


class AttnDecoderRNN(nn.Module):
    def __init__(self, hidden_size, output_size):
        super().__init__()
        self.embedding = nn.Embedding(output_size, hidden_size)
        self.attn = nn.Linear(hidden_size * 2, MAX_LENGTH)
        self.attn_combine = nn.Linear(hidden_size * 2, hidden_size)
        self.gru = nn.GRU(hidden_size, hidden_size)
        self.out = nn.Linear(hidden_size, output_size)

    def forward(self, input, hidden, encoder_outputs):
        embedded = self.embedding(input).view(1, 1, -1)
        attn_weights = F.softmax(self.attn(torch.cat((embedded[0], hidden[0]), 1)), dim=1)
        attn_applied = torch.bmm(attn_weights.unsqueeze(0), encoder_outputs.unsqueeze(0))
        output = F.relu(self.attn_combine(torch.cat((embedded[0], attn_applied[0]), 1)).unsqueeze(0))
        output, hidden = self.gru(output, hidden)
        return F.log_softmax(self.out(output[0]), dim=1), hidden


def train(source, target, encoder, decoder, encoder_optimizer, decoder_optimizer, criterion):
    encoder_hidden = torch.zeros(1, 1, hidden_size)
    encoder_optimizer.zero_grad()
    decoder_optimizer.zero_grad()
    encoder_outputs = torch.zeros(MAX_LENGTH, hidden_size)
    for ei in range(len(source)):
        encoder_output, encoder_hidden = encoder(source[ei], encoder_hidden)
        encoder_outputs[ei] = encoder_output[0, 0]
    loss, decoder_input, decoder_hidden = 0, torch.tensor([[SOS]]), encoder_hidden
    use_teacher_forcing = random.random() < 0.5
    for di in range(len(target)):
        decoder_output, decoder_hidden = decoder(decoder_input, decoder_hidden, encoder_outputs)
        loss += criterion(decoder_output, target[di].view(1))
        if use_teacher_forcing:
            decoder_input = target[di]
        else:
            decoder_input = decoder_output.topk(1)[1].squeeze().detach()
            if decoder_input.item() == EOS:
                break
    loss.backward()
    encoder_optimizer.step()
    decoder_optimizer.step()
    return loss.item() / len(target)


encoder, decoder = EncoderRNN(9, hidden_size), AttnDecoderRNN(hidden_size, 9)
optimizers = [optim.SGD(net.parameters(), lr=0.05) for net in (encoder, decoder)]
print_loss_total = 0.0
for it in range(1, 151):
    source, target = (torch.tensor(side) for side in random.choice(pairs))
    print_loss_total += train(source, target, encoder, decoder, *optimizers, nn.NLLLoss())
    if it % 50 == 0:
        print(f"({it}) {print_loss_total / 50:.4f}")
        print_loss_total = 0.0
