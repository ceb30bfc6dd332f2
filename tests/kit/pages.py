"""What tests read from a page."""

import re

_TOKEN = re.compile(r'(name="csrf_token" value=")([^"]+)"')


def form_token(page: str) -> str:
    """The token of a page's forms, without which nothing they send is taken."""
    found = _TOKEN.search(page)
    assert found, "the page has no form"
    return found[2]


def tokenless(page: str) -> str:
    """The page without the tokens of its forms, which are other ones each second."""
    return _TOKEN.sub(r'\1"', page)
