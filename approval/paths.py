"""Where shipped data lives (资源路径): in the checkout, or inside an installed wheel."""

from pathlib import Path

_HERE = Path(__file__).resolve().parent
_SHIPPED = _HERE / "_shipped"

ROOT = _SHIPPED if _SHIPPED.is_dir() else _HERE.parent
TEMPLATES = ROOT / "templates"
STATIC = ROOT / "static"
WORKFLOWS = ROOT / "workflows"
FONTS = STATIC / "vendor" / "fonts"
TRANSLATIONS = _HERE / "translations"
