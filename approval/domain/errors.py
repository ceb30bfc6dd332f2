"""Refusals (拒绝办理): what the office will not do, and why.

A class is one reason, its docstring the sentence a clerk would say, its keywords the facts of this time.
No HTTP, no logging, no Flask here: `web/errors.py` alone knows the status column and the words on a page.
"""

import re
from typing import Any, ClassVar, NamedTuple


class Fault(NamedTuple):
    """One thing wrong in an uploaded pack (事项包缺陷): where it stands and what to do about it.

    `name` is the element's name on the diagram; `level` is error, or warning for what runs and is worth a look.
    """

    file: str
    element: str
    line: int
    why: str
    name: str = ""
    level: str = "error"


class Missing(NamedTuple):
    """One thing to put right before filing (补正事项): where it belongs, a code for why, and a label to show.

    `where` is `materials.<code>` or `answers.<field>`; `why` is a code whose words stand in the catalogue.
    """

    where: str
    why: str
    label: str = ""


class Refusal(Exception):  # noqa: N818 -- not all our exceptions are errors
    """The office cannot do this."""

    code: ClassVar[str] = "refusal"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Name the code after the class, so that neither can drift from the other."""
        super().__init_subclass__(**kwargs)
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    def __init__(self, **facts: Any) -> None:
        super().__init__()
        self.facts = facts

    def __str__(self) -> str:
        sentence = (self.__class__.__doc__ or "").strip().splitlines()[0]
        facts = ", ".join(f"{name}={value!r}" for name, value in self.facts.items())
        return f"{sentence} ({facts})" if facts else sentence


class NotFound(Refusal):
    """Nothing of this name is here for you."""


class NotSignedIn(Refusal):
    """Please sign in first."""


class NotEnrolled(Refusal):
    """This certificate is bound to nobody here."""


class Disabled(Refusal):
    """This person may not sign in any more."""


class NotAllowed(Refusal):
    """Your post does not include this step."""


class Incomplete(Refusal):
    """Some things are missing or wrong; all of them are listed."""


class AnswersInvalid(Incomplete):
    """Some answers are missing or wrong; all of them are listed."""


class NoticeIncomplete(Incomplete):
    """A formal notice does not say everything that the law wants it to say; all of it is listed."""


class OutOfTurn(Refusal):
    """This cannot be done at this point of the procedure."""


class IllegalStep(OutOfTurn):
    """The law does not allow this step from where the case stands."""


class AskedOnce(IllegalStep):
    """Everything to be put right was asked for before, and nobody answered for asking again."""


class AlreadyDone(OutOfTurn):
    """This was done before."""


class TimePassed(OutOfTurn):
    """The time for this has run out, and the law has gone on without it."""


class SuspensionBackdated(OutOfTurn):
    """Days that have passed were counted; a suspension begins today or later."""


class ExtendedAlready(OutOfTurn):
    """This time limit was extended before, and the law allows it once."""


class ItemClosed(OutOfTurn):
    """This service item takes no new cases."""


class Unanswered(OutOfTurn):
    """Colleagues or departments who were asked have not answered yet."""


class Opposed(OutOfTurn):
    """A department that was asked disagrees, and nobody has dealt with that yet."""


class Unheard(OutOfTurn):
    """A hearing was announced or asked for, and decisions follow its minutes, which are not there yet."""


class PartiesUnheard(OutOfTurn):
    """Those whose significant interests the case concerns have not been heard, and their time to speak still runs."""


class Overtaken(OutOfTurn):
    """Somebody else was faster; please look at the case as it is now."""


class Held(OutOfTurn):
    """An administrator holds this case still for the moment."""


class Objected(Refusal):
    """The system that was asked declines, and says why by a code."""


class DraftExpired(Refusal):
    """This draft was not touched for too long and is no longer kept."""


class TooMany(Refusal):
    """Too many attempts; please wait a while."""


class WalletRefused(Refusal):
    """What a wallet sent opens nothing here, or not any more."""


class NoticeUnreadable(Refusal):
    """This is no notice of holidays that can be taken over."""


class SheetUnreadable(Refusal):
    """This is no proof sheet of a time limit."""


class PackRefused(Refusal):
    """The pack has faults; all of them are listed."""


class Unavailable(Refusal):
    """A part that this step needs is not available now."""


class Unconfirmed(Unavailable):
    """Something was sent and nobody answered: it may have arrived or not."""
