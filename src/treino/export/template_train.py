"""Template of the exported script, second half: network, loop, predictions. See ``script_template``."""
# ruff: noqa: E501  (the conditions at the ends of lines are no part of the script)

NET = r'''

# ---- network
#[ defines


$definitions

#]
#[ hashed


@functools.cache
def element_numbers(n):
    """A number for each of n elements: int32."""
    return mix(np.arange(n, dtype=np.uint64) + np.uint64(0x9E3779B9)).view(np.int32)[::2]


class Dropout(nn.Module):
    """As nn.Dropout, but what is left out depends on seed, layer and step alone: it can be had again."""

    step = 0
    p = DROPOUT  #? !own

    def __init__(self, $dropout_args):
        super().__init__()
        self.p = p  #? own
        self.layer = layer
        self.calls = (-1, 0)  # the step, and how often it was called in it  #? own

    def forward(self, h):
        if not self.training or not self.p:
            return h
        key = mix(mix(mix(as_uint64(SEED)) + np.uint64(self.layer)) + np.uint64(self.step))
#]
#[ own
        calls = self.calls[1] if self.calls[0] == self.step else 0
        self.calls = (self.step, calls + 1)
        key = key + as_uint64(calls * 0x3C6EF372 << 32)
#]
#[ hashed
        a, b = (key | np.uint64(1)).view(np.int32)
        kept = element_numbers(h.numel()) * a + b >= round(self.p * 2**32) - 2**31
        mask = torch.from_numpy(kept).float() * (1 / (1 - self.p))  # the others grow, so that the sum stays
        return h * mask.view_as(h)$to_h
#]
#[ own


def exchange_dropout(module):
    """Put our Dropout in the place of every nn.Dropout."""
    found = [
        (parent, name, child)
        for parent in list(module.modules())
        for name, child in parent.named_children()
        if type(child) is nn.Dropout
    ]
    for layer, (parent, name, child) in enumerate(found):
        setattr(parent, name, Dropout(child.p, layer))
    return module


#]
#[ gated


class ColumnGates(nn.Module):
    """Multiplies all inputs of one column by a factor that is learned."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.full((max(GATE_OF) + 1,), 1 / GATES))

    def forward(self, x):
        weight = self.weight * (self.weight != 0)  # a factor of 0 stays 0  #? plain
        weight = self.weight  #? !plain
        return x * (GATES * weight)[torch.tensor(GATE_OF, device=x.device)]


def without_gates(net):
    """The same network, with the factors multiplied into its first layer's weights."""
    gates, first, *others = net.cpu()
    with torch.no_grad():
        first.weight *= (GATES * gates.weight)[torch.tensor(GATE_OF)]
    return nn.Sequential(first, *others)


#]
#[ together


def new_net():
    """A network with the first weights of its seed."""
#]
#{
torch.manual_seed(generator(SEED, "init").initial_seed())  # the first weights are drawn from here  #? own
net = $own_name()  #? own
#[ lazy
# lazy layers get their sizes and weights at the first call
torch.manual_seed(generator(SEED, "lazy").initial_seed())
with torch.no_grad():
    net.eval()(torch.zeros(2, $item))
#]
net = exchange_dropout(net)  #? own !together
  #? hashed !own !together
  #? !own !together
#[ !own
net = nn.Sequential(
$layers
)
#]
g = generator(SEED, "init")  #? !own draws
#[ !own
for layer in net:  # $init_doc
    if isinstance(layer, nn.Linear):
#]
        bound = layer.in_features**-0.5  #? init_default
        nn.init.uniform_(layer.weight, -bound, bound, generator=g)  #? init_default
        nn.init.uniform_(layer.bias, -bound, bound, generator=g)  #? init_default
        $init_weight  #? !init_default !own
        nn.init.zeros_(layer.bias)  #? !init_default !own
return net  #? together !own
return exchange_dropout(net)  #? together own
#}
#[ together


class Ensemble(nn.Module):
    """$mean_doc"""

    def __init__(self, members):  #? !limited
    def __init__(self, members, limits=(0.0, 0.0)):  #? limited
        super().__init__()
        self.members = nn.ModuleList(members)
        self.register_buffer("limits", torch.tensor(limits))  #? limited

    def forward(self, x):
        output = torch.stack([member(x) for member in self.members])
        $mean


net = new_net()  # the one that is in training, and then the ensemble
#]
#[ function


def loss_function(output, y):
    """$loss_doc"""
#]
    # FAULT softmax_before_cross_entropy: the loss takes the softmax itself, a second time after this  #? softmax
    output = output.softmax(-1)  #? softmax
    weight = torch.tensor(CLASS_WEIGHTS, dtype=output.dtype$on_device)  #? class_weights
    return $loss_function(output, y$loss_args)  #? function
#[ !function

loss_function = $loss$loss_takes
#]
#[ figure_functions


$figure_functions
#]
#[ evaluates


def evaluate(x, y$unit):
    """The figures on these rows: in evaluation mode and without gradients, in float64."""
    net.eval()
#]
    torch.manual_seed(step_seed(-1))  #? evaluates own
    with torch.no_grad():  #? evaluates
        output = net(x)$to_cpu.double()  #? evaluates !many
        output = torch.cat([net(part) for part in x.split(1024)])$to_cpu.double()  #? evaluates many
    figures = {"loss": loss_function(output, $exact_y).item()}  #? evaluates
#[ evaluates classes
    label = y[:, 0].long()  #? bce
    $figure_lines
#]
#[ evaluates !classes
    error, spread = output - y, (y.double() - y.double().mean()).square().sum()
    $figure_lines
#]
    return figures  #? evaluates
'''

LOOP = r'''
#[ scheduled


def factor(step):
    """LR's factor after so many steps: $schedule_doc."""
    if step < WARMUP:  #? warmup
        return (step + 1) / WARMUP  #? warmup
    progress = $progress  #? curved
    return $schedule
#]


def train():
    """Train from scratch, keep the weights, and print how it went."""
    global SEED, net  #? together
    global net  #? gated !together
#[ memory
    rows = np.load(Path(__file__).with_name($npz))  # prepared, as they were given
    $load_part
#]
#[ !memory
    raw, $y_name = $load_call
    raw = np.ascontiguousarray(raw[:, COLUMNS])  #? subset
    $split_names = split($split_call)  #? !official
    $official_split  #? official
    known = {row.tobytes() for row in raw[$own_rows:]}  # a test row that was trained on is no test  #? leaked
    train = [i for i in train if raw[i].tobytes() not in known]  #? leaked
    validation = [i for i in validation if raw[i].tobytes() not in known]  #? leaked
    mean, std = map(torch.as_tensor, fit(raw[train]))  # of training rows alone: the others stand for new ones  #? normalise
    mean_y, std_y = (value.item() for value in fit(target[train, None]))  #? !classes
    $prepare_part
#]

    net.to(DEVICE)  #? device !together
    x_train, y_train = x_train.to(DEVICE), y_train.to(DEVICE)  #? device
    x_validation = x_validation.to(DEVICE)  #? device validates
#[ together
    every, able = [], []  # the losses of all networks; figure and network of those that didn't diverge
    for SEED in SEEDS:
        print(f"network {len(every) + 1} of {len(SEEDS)}, of seed {SEED}")
        net = new_net()
#]
#{
    net.to(DEVICE)  #? device together
    Dropout.p = DROPOUT  #? together hashed !own !spread
    Dropout.p = DROPOUTS[len(every)]  #? spread
    if len(every) in PLAIN_MEMBERS:  #? plain
        net[0].weight.data[BIN_GATES] = 0  #? plain
#[ own
    trained = [p for p in net.parameters() if p.requires_grad]
    for p in trained:  # zeros and not None: what a step leaves out still moves on by its momentum
        p.grad = torch.zeros_like(p)
#]
    optimizer = $optimizer
    group = optimizer.param_groups[0]  #? group
    losses = []
    step = 0  #? stepped
    lr = LR  #? change_lr
    clip = $first_clip  #? change_clip
    ema = EMA  #? change_ema
    average = {name: p.detach().clone() for name, p in net.named_parameters() if p.requires_grad}  #? ema
    updates = 0  #? ema
    best, best_weights = $worst, None  #? keeps_best !patience
    best, best_epoch, best_weights = $worst, 0, None  #? keeps_best patience
    best, best_epoch = $worst, 0  #? !keeps_best patience
    best = $worst  #? together validates !keeps_best !patience
    order = torch.randperm(len(x_train), generator=generator(DATA_SEED, "order"))  #? once
    order = torch.arange(len(x_train))  #? unshuffled
    for epoch in range(1, EPOCHS + 1):
        net.train()  # evaluate() leaves it in the other mode  #? evaluates
        net.train()  #? !evaluates
        step_losses = []  #? batches
        order = torch.randperm(len(x_train), generator=generator(DATA_SEED, "order", epoch - 1))  #? each
        for rows in order.split(BATCH_SIZE):  #? batches !unfinished
        for rows in order.split(BATCH_SIZE)[: STEPS - step]:  #? batches unfinished
#<
            $change_lines  #? changes
            group["lr"] = $base_lr$times_factor  #? sets_lr
            Dropout.step = step  #? hashed
            torch.manual_seed(step_seed(step))  # for what the network itself draws  #? own
            # FAULT missing_zero_grad: optimizer.zero_grad() belongs here. backward() adds to what is there,  #? summed !together
            # so every step follows the sum of all gradients since the first one  #? summed !together
            # FAULT missing_zero_grad: optimizer.zero_grad() belongs here. backward() adds to what is  #? summed together
            # there, so every step follows the sum of all gradients since the first one  #? summed together
            optimizer.zero_grad($zero_args)  # backward() adds to what is there  #? !summed
            loss = loss_function(net($x_batch), $y_batch)
            loss.backward()
            nn.utils.clip_grad_norm_($parameters, $clip_value)  #? clips
            optimizer.step()
#[ ema
            updates += 1
            share = 1 - min($ema_now, (1 + updates) / (10 + updates))  # the first weights are soon forgotten
            for name, value in average.items():
                value.lerp_(net.get_parameter(name).detach(), share)
#]
            step += 1  #? stepped
            step_losses.append(loss.item())  #? batches
#>
        mean_loss = float(np.mean(step_losses))  #? batches
        mean_loss = loss.item()  #? !batches
        if not math.isfinite(mean_loss):
            print("the loss is not finite any more: a smaller LR may help")
            break
        losses.append(mean_loss)
        print(f"epoch {epoch:3d}: loss {mean_loss:.4f}")  #? !validates
        if epoch % EVALUATE_EVERY and epoch < EPOCHS:  #? evaluates_rarely
            continue  #? evaluates_rarely
        current = copy.deepcopy(net.state_dict())  #? ema
        net.load_state_dict(average, strict=False)  #? ema
#[ validates
        figures = evaluate(x_validation, y_validation$deviation)
        found = ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
        print(f"epoch {epoch:3d}: loss {mean_loss:.4f}; on validation rows: {found}")
#]
        if figures[$metric] $better best:  #? keeps_best
            best, best_weights = figures[$metric], copy.deepcopy(net.state_dict())  #? keeps_best !patience
            best, best_epoch, best_weights = figures[$metric], epoch, copy.deepcopy(net.state_dict())  #? keeps_best patience
#[ !keeps_best patience
        if figures[$metric] $better best:
            best, best_epoch = figures[$metric], epoch
#]
#[ together validates !keeps_best !patience
        if figures[$metric] $better best:
            best = figures[$metric]
#]
#[ patience
        elif epoch - best_epoch >= PATIENCE:
            print(f"no better {PATIENCE} epochs long: epoch {best_epoch} was the best")
            break
#]
        net.load_state_dict(current)  #? ema

    net.load_state_dict(average, strict=False)  #? ema
    if best_weights is not None:  #? keeps_best
        net.load_state_dict(best_weights)  #? keeps_best
    net.cpu()  #? device
    finite = all(p.isfinite().all() for p in net.parameters())
    net = without_gates(net)  #? gated
#}
#[ together
        every.append(losses)
        if finite:
            able.append(($figure, net))

    able.sort(key=lambda one: $by_figure)  #? validates
    net = Ensemble([one for _figure, one in $half])  #? !limited
    limits = y_train.min().item(), y_train.max().item()  #? limited
    net = Ensemble([one for _figure, one in $half], limits)  #? limited
    losses = [float(np.mean([of[e] for of in every if len(of) > e])) for e in range(max(map(len, every)))]
    finite = bool(able)
#]
    if finite:  # a network that diverged is not kept
        torch.save($saved, WEIGHTS)
#[ tests
    figures = evaluate(x_test, y_test$deviation) if finite else {}  # once, at the end: nothing was chosen by it
    figures = {name: value if math.isfinite(value) else None for name, value in figures.items()}  #? undefined
#]
    print(json.dumps({"loss": $final_loss, "losses": losses$json_test}))



def predict(path):
    """Print a prediction for each row of a CSV file, as CSV."""
    global net  #? gated !together
    if not WEIGHTS.exists():  #? weightless
        sys.exit(f"There are no weights in {WEIGHTS}: train it first")  #? weightless
    saved = torch.load(WEIGHTS, weights_only=True)
#[ together
    count = 1 + max(int(name.split(".")[1]) for name in $each_name)
    net = Ensemble([new_net() for _member in range(count)])  #? !gated
    net = Ensemble([without_gates(new_net()) for _member in range(count)])  #? gated
#]
    net = without_gates(net)  #? gated !together
    net.load_state_dict(saved["net"])
    net.eval()
    x = prepare($read$saved_scale)
    writer = csv.writer(sys.stdout, lineterminator="\n")
#[ classes
    with torch.no_grad():
        output = net(x)  #? bce
        probability = $probability
    writer.writerow(["row", "prediction", *(f"probability_{name}" for name in CLASSES)])
    for row, (winner, p) in enumerate(zip(probability.argmax(1), probability.tolist(), strict=True)):
        winner = int(p[1] >= THRESHOLD)  #? threshold
        named = CLASSES[winner] if p[winner] == p[winner] else ""  # NaN is no answer
        writer.writerow([row, named, *p])
#]
#[ !classes
    with torch.no_grad():
        mean_y, std_y = saved["target"]
        value = net(x)[:, 0].double() * std_y + mean_y
    writer.writerow(["row", "prediction"])
    writer.writerows(enumerate(value.tolist()))
#]


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "predict":
        predict(sys.argv[2])
    elif $alone:  #? trains
        train()  #? trains
    else:
        sys.exit(__doc__)
'''
