"""What the bridge relies on inside python-qpid-proton."""

from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

from proton import Handler
from proton.handlers import IOHandler, MessagingHandler
from proton.reactor import Container

from ingest.bridge import events


def test_the_library_is_the_version_whose_internals_are_replaced() -> None:
    """With another version, read its `IOHandler` and `Container` again, and run `python -m bench bridge`."""
    assert version("python-qpid-proton") == events.VERSION
    assert callable(IOHandler.on_selectable_readable)
    assert isinstance(Container.global_handler, property)


class _Base(Handler):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def on_delivery(self, event: Any) -> None:
        self.seen.append("delivery")

    def on_unhandled(self, name: str, event: Any) -> None:
        self.seen.append(name)


def test_only_deliveries_pass_by_the_librarys_handlers() -> None:
    base = _Base()
    made = events.container(MessagingHandler())
    handler: Any = made.global_handler
    handler._base = base
    event = SimpleNamespace(dispatch=lambda to: to.on_unhandled("on_link_flow", None))
    handler.on_delivery(event)
    handler.on_unhandled("on_link_flow", event)
    assert base.seen == ["on_link_flow"]
