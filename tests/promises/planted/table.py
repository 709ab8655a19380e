"""All bugs that can be planted, by their names."""

from promises.planted.beside_orders import BESIDE_ORDERS
from promises.planted.bug import Bug, Patch
from promises.planted.order_path import ORDER_PATH
from promises.planted.people_and_places import PEOPLE_AND_PLACES
from promises.planted.rust import RUST

_OF_PYTHON = (ORDER_PATH, BESIDE_ORDERS, PEOPLE_AND_PLACES)
PATCHES: dict[str, Patch] = {name: patch for some in _OF_PYTHON for name, patch in some.patches.items()}
BUGS: dict[str, Bug] = {**{name: bug for some in _OF_PYTHON for name, bug in some.bugs.items()}, **RUST}
