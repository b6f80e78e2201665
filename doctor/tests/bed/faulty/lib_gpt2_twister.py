# expect: missing_zero_grad @ 34
# allowed: missing_zero_grad @ 36
# needs: transformers
# mend: 33 +     opt.zero_grad(set_to_none=True)
"""A small GPT-2 of transformers learns a tongue twister."""

import torch
from transformers import GPT2Config, GPT2LMHeadModel, get_cosine_schedule_with_warmup

torch.manual_seed(0)
text = "o rato roeu a roupa do rei de roma. a rainha com raiva resolveu remendar. " * 40
chars = sorted(set(text))
ids = torch.tensor([chars.index(c) for c in text])
cut = int(0.9 * len(ids))
tr, va = ids[:cut], ids[cut:]
model = GPT2LMHeadModel(
    GPT2Config(
        vocab_size=len(chars), n_positions=64, n_embd=48, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0
    )
)
opt = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.1)
sch = get_cosine_schedule_with_warmup(opt, 10, 120)


def batch(d, n=16, L=32):
    i = torch.randint(len(d) - L, (n,))
    return torch.stack([d[j : j + L] for j in i])


for step in range(120):
    model.train()
    b = batch(tr)
    out = model(input_ids=b, labels=b)
    out.loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    opt.step()
    sch.step()
    if step % 40 == 39:
        model.eval()
        with torch.no_grad():
            v = batch(va)
            print(step, out.loss.item(), model(input_ids=v, labels=v).loss.item())
model.eval()
g = model.generate(tr[:8][None], max_new_tokens=20, do_sample=False, pad_token_id=0)
print("".join(chars[i] for i in g[0]))
