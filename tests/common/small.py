"""Settings that make `jamfn-demo` a matter of seconds."""

SMALL = {
    "corpus.synthetic.items": 60,
    "corpus.synthetic.mean_length": 40,
    "corpus.lengths.acoustic": 40,
    "corpus.lengths.visual": 40,
    "model.hidden": 4,
    "model.channels": 4,
    "model.scales": (1,),
    "training.epochs": 3,
}
