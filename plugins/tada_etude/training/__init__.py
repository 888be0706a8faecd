"""How etude is trained: data, objective, loop, export.

>>> from tada_etude.training import TrainConfig, export, train
>>> state = train(TrainConfig.tiny(), folder)
>>> export(folder, weights)
"""

from tada_etude.training.config import TrainConfig
from tada_etude.training.export import export
from tada_etude.training.loop import Progress, train

__all__ = ["Progress", "TrainConfig", "export", "train"]
