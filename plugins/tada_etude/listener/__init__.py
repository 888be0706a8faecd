"""The listener: a small audio-text model that is trained as etude is, so that clips can be heard on any CPU.

>>> from tada_etude.listener.export import export
>>> from tada_etude.listener.loop import train
>>> state = train(ListenerConfig.tiny(), folder)
>>> export(folder, weights)
"""

from tada_etude.listener.config import ListenerConfig

__all__ = ["ListenerConfig"]
