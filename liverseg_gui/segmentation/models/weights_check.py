"""Check of the tensors in a weights file against the network on the model's card."""

from __future__ import annotations

from functools import partial
from math import prod

from liverseg_gui.core.errors import ModelError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.models.card import ModelCard
from liverseg_gui.segmentation.models.weights_file import Shapes
from liverseg_gui.system.child_process import call_in_child

_MOST_BYTES_A_VALUE, _MOST_HEADER_BYTES = 8, 1 << 20


def expected_shapes(card: ModelCard, progress: Progress) -> Shapes:
    """The tensors that the network of `card` has. It is built without its values; loads torch."""
    progress.update(0.0, "Checking the network")
    import torch

    from liverseg_gui.segmentation.networks.unet import build_network

    with torch.device("meta"):
        network = build_network(card.architecture, card.context, card.size)
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def expected_shapes_apart(card: ModelCard, progress: Progress) -> Shapes:
    """The same, found by a process of its own: a window never loads torch.

    Raises:
        ModelError: that process came to nothing.
        Cancelled: `progress` was cancelled; the process is ended.
    """
    died = ModelError(
        "The model could not be checked: the process that does it ended unexpectedly, often "
        "for lack of memory. Close other programs and try again."
    )
    return call_in_child(partial(expected_shapes, card), progress, "Checking the network", died)


def most_bytes(expected: Shapes) -> int:
    """No weights file of a network with these tensors is larger."""
    return _MOST_HEADER_BYTES + sum(_MOST_BYTES_A_VALUE * prod(s) for s in expected.values())


def require_shapes(card: ModelCard, found: Shapes, expected: Shapes) -> None:
    """Check that `found` are the tensors of the network of `card`.

    Raises:
        ModelError: they are not; says which differ.
    """
    if found == expected:
        return
    missing = [name for name in expected if name not in found]
    unknown = [name for name in found if name not in expected]
    other = [name for name in expected if name in found and found[name] != expected[name]]
    odd = (missing or unknown or other)[0]
    if odd in missing:
        how = "is missing"
    elif odd in unknown:
        how = "is not in the network"
    else:
        how = f"has shape {list(found[odd])} and should have {list(expected[odd])}"
    raise ModelError(
        f"The weights {card.weights} do not fit the architecture {card.architecture!r} with "
        f"{card.context} slices that the card names: {odd} {how} "
        f"({len(missing) + len(unknown) + len(other)} tensors differ). Card and weights are of two "
        "models: get both from one training."
    )
