"""The networks, by the names that params.yaml uses: those of their modules."""

from importlib import import_module

from pipeline.models.protocol import Network


def network(name):
    """The class of a module that extends `Network`; a ValueError if there is none, or another."""
    module = import_module(f"pipeline.models.{name}")
    found = [c for c in vars(module).values()
             if isinstance(c, type) and issubclass(c, Network) and c.__module__ == module.__name__]
    if len(found) != 1:
        raise ValueError(f"pipeline/models/{name}.py: expected one class that extends "
                         f"pipeline.models.protocol.Network, found {len(found)}")
    return found[0]


def build(name, scales, **options):
    """A network with fresh weights."""
    return network(name)(scales, **options)
