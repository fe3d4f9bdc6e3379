"""How addresses lead to functions: Flask's ways, but for two."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from werkzeug.routing import Map, Rule


class Routes(Map):
    """A doubled slash is another address. Werkzeug would lead to the one with a single slash, on whatever host the
    client names in its Host header."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given, merge_slashes=False)


class Route(Rule):
    """What makes its address, for url_for, is compiled when that is first asked for: most are not for long, and all
    together took half of the time in which the app is made."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = cache(partial(super()._compile_builder, append_unknown))
        return lambda route, /, **values: compiled()(route, **values)
