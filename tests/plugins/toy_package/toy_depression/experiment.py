"""The toy on the stand-in of D-Vlog."""

from jaxdep.experiment import Corpus, Experiment, Training
from toy_depression.model import Toy

DEMO = Experiment(
    name="toy-demo",
    title="Toy on a small stand-in of D-Vlog",
    corpus=Corpus("dvlog", synthetic={"items": 60, "mean_length": 40}, validation="valid"),
    model=Toy(),
    training=Training(batch_size=16, epochs=2),
)
