"""The flag on the roof: what a WSGI server runs."""

from approval import create_app

application = create_app()
