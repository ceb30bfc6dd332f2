"""Security headers (安全响应头): on every reply, whatever happened."""

from flask import Flask, Response, request

from approval.settings import Settings
from approval.web import visitors

# Bootstrap draws its check marks from data: addresses.
_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_A_YEAR = 365 * 24 * 3600


def wear(app: Flask, settings: Settings) -> None:
    """Put the headers on every reply of an application; a view may set a stricter one itself."""

    @app.after_request
    def put_on(reply: Response) -> Response:
        for name, value in _HEADERS.items():
            reply.headers.setdefault(name, value)
        if visitors.secure(settings):
            reply.headers.setdefault("Strict-Transport-Security", f"max-age={_A_YEAR}")
        # A view says so itself of what is the same for everyone; anything else may be about somebody.
        if request.endpoint != "static" and not reply.cache_control.public:
            reply.headers["Cache-Control"] = "no-store"
            reply.vary.update(("Accept-Language", "Cookie"))
        return reply
