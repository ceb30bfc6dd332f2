"""One-stop administrative approval (一站式行政审批)."""

from typing import Any


def __getattr__(name: str) -> Any:
    # Late, so that scripts, workers and tests that need no web page never import Flask.
    if name == "create_app":
        from approval.app import create_app  # noqa: PLC0415 -- see above

        return create_app
    raise AttributeError(name)
