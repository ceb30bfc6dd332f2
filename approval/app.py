"""The application (应用): has a key to every room, opens the doors and hangs out the signs."""

from flask import Flask, g, redirect, url_for
from flask_babel import Babel, get_locale
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from approval.domain.errors import NotSignedIn
from approval.office import Office, tune
from approval.paths import STATIC, TEMPLATES, TRANSLATIONS
from approval.settings import Settings, SettingsRefused
from approval.web import (
    admin,
    api,
    bodies,
    copies,
    countdowns,
    deliveries,
    desk,
    diagrams,
    errors,
    exports,
    filing,
    headers,
    languages,
    laws,
    licences,
    logs,
    materials,
    notices,
    offline,
    operations,
    parties,
    portal,
    public,
    readings,
    rosters,
    sign,
    site,
    styles,
    switch,
    types,
    verdicts,
    visitors,
    wallets,
    window,
    words,
    workshops,
)
from approval.web.door import Door

db = SQLAlchemy()

_DOORS: dict[str, tuple[Door, ...]] = {
    "public": (public.door, laws.door, logs.door, offline.door, api.door),
    "portal": (
        sign.door,
        portal.door,
        copies.door,
        countdowns.own_door,
        notices.door,
        parties.door,
        exports.door,
        wallets.door,
        filing.door,
        materials.door,
        diagrams.door,
    ),
    "window": (
        sign.door,
        window.door,
        desk.door,
        site.door,
        countdowns.door,
        deliveries.door,
        parties.window_door,
        licences.door,
        materials.door,
        diagrams.door,
    ),
    "admin": (sign.door, admin.door, workshops.door, rosters.door, operations.door, types.door, laws.desk),
}
# Where "/" leads in a process that does not open the public door.
_FIRST_PAGE = {"portal": "portal.mine", "window": "window.queue", "admin": "admin.packs"}


def create_app(settings: Settings | None = None, office: Office | None = None) -> Flask:
    """Build the Flask application (创建应用) from the settings, or around an office that stands already.

    Raises `SettingsRefused` for a door that nobody knows.
    """
    settings = office.settings if office else settings or Settings.from_env()
    app = Flask(__name__, template_folder=TEMPLATES, static_folder=STATIC, static_url_path="/static")
    app.config.update(
        SECRET_KEY=settings.form_key(),
        SESSION_COOKIE_NAME=visitors.cookie_name(settings, "form"),
        SESSION_COOKIE_SECURE=visitors.secure(settings),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        # A form's token lasts as long as the browser's session: a form left open loses nothing.
        WTF_CSRF_TIME_LIMIT=None,
        BABEL_DEFAULT_LOCALE=languages.CHINESE,
        BABEL_DEFAULT_TIMEZONE=settings.zone,
        BABEL_TRANSLATION_DIRECTORIES=str(TRANSLATIONS),
        SQLALCHEMY_DATABASE_URI=settings.sqlalchemy_url,
    )
    if hops := settings.proxies:
        # Only as many names as our own proxies wrote are believed; a visitor's own are beyond them.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.extensions["office"] = office or _open_office(app, settings)
    Babel(app, locale_selector=languages.select)
    bodies.limit(app, settings)
    # Programs bring a key with each request and no cookie that another page could use.
    protect = CSRFProtect(app)
    protect.exempt(api.door)
    protect.exempt(wallets.door)
    errors.answer(app)
    app.register_error_handler(NotSignedIn, sign.ask_again)
    headers.wear(app, settings)
    _open_doors(app, settings.doors.split())
    if sign.demonstration(settings) and "sign" in app.blueprints:
        app.register_blueprint(switch.door)
    if not settings.production:
        app.register_blueprint(styles.door)
    _dress(app, settings)
    return app


def _open_office(app: Flask, settings: Settings) -> Office:
    settings.instance.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    with app.app_context():
        return Office(settings, tune(db.engine), make_session=db.session.session_factory)


def _open_doors(app: Flask, names: list[str]) -> None:
    if unknown := set(names) - _DOORS.keys():
        raise SettingsRefused(f"APPROVAL_DOORS: no door is called {', '.join(sorted(unknown))}")
    app.register_blueprint(languages.door)
    app.register_blueprint(readings.door)
    for door in dict.fromkeys(door for name in names for door in _DOORS[name]):
        app.register_blueprint(door)
    if "public" not in names:
        first = next(_FIRST_PAGE[name] for name in names)

        @app.get("/")
        def first_page() -> Response:
            return redirect(url_for(first), 303)


def _dress(app: Flask, settings: Settings) -> None:
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        words=words,
        verdicts=verdicts,
        said=languages.said,
        english=languages.english,
        large=readings.large,
        endpoints=app.view_functions.keys(),
        doors=frozenset(settings.doors.split()),
        signing="sign" in app.blueprints,
        demonstration=sign.demonstration(settings),
    )

    @app.context_processor
    def common() -> dict[str, object]:
        return {
            "actor": g.get("actor"),
            "acting": g.get("acting", {}),
            "unread": g.get("unread", 0),
            "lang": "en" if str(get_locale()) == "en" else "zh-CN",
        }
