"""An attention mask that hides the wrong words."""

from treino_doctor.base.words import N_, _
from treino_doctor.record.outcomes import MaskWrong
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, by_line, script

WHAT = {
    "padding": N_("key_padding_mask hides the words and leaves the padding"),
    "next": N_("the word that is to be said next is among those that attention may look at"),
}


def decide(log: Log) -> Faults:
    """Masks left what is the same in every row and hid the rest; or showed the next word to a net that is to
    say it."""
    for (at, how), events in by_line(log.of(MaskWrong), lambda e: (e.at or e.site, e.how)).items():
        numbers = {"what": _(WHAT[how]), "calls": len(events)}
        yield Evidence(events[0].site, numbers, at=at, stack=events[0].stack)


RULE = Rule(
    group="data",
    message="The mask hides the wrong words: {what} ({calls} {calls:call|calls} looked at).",
    why="""In the masks of torch's attention layers True means that a word is hidden, the reverse of
    scaled_dot_product_attention and of other libraries. A net that is shown the next word copies it, and says
    nothing of use where it isn't known yet.""",
    fix="""Pass words == padding as key_padding_mask; as attn_mask of next words
    nn.Transformer.generate_square_subsequent_mask(n), or torch.ones(n, n, dtype=torch.bool).triu(1).""",
    safety="Safe: the figures become those of the words that the network may know.",
    limits="""A padding is known where it has the same numbers in every row, as padding_idx gives; next words
    where they are the targets of a cross entropy and torch's attention is used. Masks in attention that is
    written by hand are not seen.""",
    wrong="""\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.last = nn.Embedding(9, 8, padding_idx=0), nn.Linear(8, 3)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)

    def forward(self, text):
        mask = text != 0
        return self.last(self.layer(self.words(text), src_key_padding_mask=mask)[:, 0])


text = torch.randint(1, 9, (240, 6))
text[:, 3:] *= torch.rand(240, 3) > 0.7
"""
    + script("Net()", "F.cross_entropy(net(text), y)"),
    mend={"text != 0": "text == 0"},
)
