# expect: no_step @ 23
# mend: 23 →             w.copy_(update(w, 0.5))
# mend: 24 →             b.copy_(update(b, 0.5))
import torch
import torch.nn.functional as F

def main():
    torch.manual_seed(5)
    x = torch.randn(320, 9)
    y = (x[:, 0] + x[:, 1] > 0).long()
    w = torch.zeros(9, 2, requires_grad=True)
    b = torch.zeros(2, requires_grad=True)


    def update(tensor, rate):
        return tensor - rate * tensor.grad


    for step in range(120):
        loss = F.cross_entropy(x @ w + b, y)
        loss.backward()
        with torch.no_grad():
            update(w, 0.5)
            update(b, 0.5)
        w.grad.zero_()
        b.grad.zero_()
    print(loss.item())


main()
