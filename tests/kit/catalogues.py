"""The catalogues as they stand in the source, whatever was compiled before."""

import os

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from approval.paths import TRANSLATIONS


def compile_all() -> None:
    for po in TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"):
        mo = po.with_suffix(".mo")
        whole = mo.with_suffix(f".{os.getpid()}")
        with po.open("rb") as source, whole.open("wb") as target:
            write_mo(target, read_po(source, locale=po.parts[-3]))
        whole.replace(mo)  # another worker may be reading it
