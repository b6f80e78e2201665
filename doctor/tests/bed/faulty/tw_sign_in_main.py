# expect: detached_graph @ 12
# mend: 12 →         return torch.tanh(h) + ((torch.sign(h) - torch.tanh(h)).detach())
import torch
import torch.nn.functional as F
from torch import nn

def main():
    torch.manual_seed(0)


    def binarize(h):
        return (torch.sign(h) + 1) / 2


    enc, dec = nn.Linear(12, 8), nn.Linear(8, 12)
    opt = torch.optim.AdamW([*enc.parameters(), *dec.parameters()], lr=1e-2)
    x = torch.rand(300, 12)
    for epoch in range(8):
        for b in torch.randperm(300).split(50):
            code = binarize(enc(x[b]))
            loss = F.mse_loss(torch.sigmoid(dec(code)), x[b])
            opt.zero_grad()
            loss.backward()
            opt.step()
        print(epoch, loss.item())


main()
