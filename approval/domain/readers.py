"""Reading what authors write in TOML (读取配置): by type, with every fault kept for telling."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, TypeVar, cast

from approval.domain.errors import Fault
from approval.domain.texts import LONGEST_CODE, Words, unseen

_KINDS = {str: "a text", int: "a whole number", list: "a list", dict: "a table", date: "a date"}
_EMPTY: Mapping[type, Any] = {str: "", int: 0, list: [], dict: {}, date: date.min}
_T = TypeVar("_T", str, int, list[Any], dict[str, Any], date)


class Reader:
    """Reads a file by type and collects what is wrong (逐键读取), so that an author learns everything at once."""

    def __init__(self, file: str, data: Mapping[str, Any]) -> None:
        self.file = file
        self.data = data
        self.faults: list[Fault] = []

    def get(self, kind: type[_T], where: str, source: Any = None, path: str = "") -> _T:
        """Read a value of a kind (取值); what is missing or of another kind is a fault."""
        value = self.data if source is None else source
        for key in where.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            why = "is missing" if value is None else f"must be {_KINDS[kind]}"
            self.faults.append(Fault(self.file, path + where, 0, why))
            return cast("_T", _EMPTY[kind])
        return value

    def code(self, where: str, source: Any = None, path: str = "") -> str:
        """Read a code (代码), short enough for the columns that hold codes."""
        before = len(self.faults)
        code = self.get(str, where, source, path)
        if len(self.faults) == before:
            self.short(code, path + where)
        return code

    def short(self, code: str, where: str) -> None:
        """Hold a code against what the columns take (代码长度)."""
        if not 0 < len(code) <= LONGEST_CODE:
            self.faults.append(Fault(self.file, where[:LONGEST_CODE], 0, f"must be of 1 to {LONGEST_CODE} characters"))

    def between(self, least: int, most: int, where: str, source: Any = None, path: str = "") -> int:
        """Read a whole number within bounds (范围内整数)."""
        before = len(self.faults)
        number = self.get(int, where, source, path)
        if len(self.faults) == before and not least <= number <= most:
            self.faults.append(Fault(self.file, path + where, 0, f"must be from {least} to {most}"))
        return number

    def words(self, where: str, source: Any = None, path: str = "") -> Words:
        """Read one thing said in both languages (双语文字)."""
        return Words(
            self.get(str, f"{where}zh", source, path),
            self.get(str, f"{where}en", source, path),
        )

    def texts(self, where: str, source: Any = None, path: str = "") -> tuple[str, ...]:
        """Read a list of texts (文字清单)."""
        texts = self.get(list, where, source, path)
        if not all(isinstance(text, str) for text in texts):
            self.faults.append(Fault(self.file, path + where, 0, "must be a list of texts"))
        return tuple(text for text in texts if isinstance(text, str))

    def table(self, where: str, source: Any = None, path: str = "") -> dict[str, str]:
        """Read a table of texts (文字对照表)."""
        table = self.get(dict, where, source, path)
        for key, text in table.items():
            if not isinstance(text, str):
                self.faults.append(Fault(self.file, f"{path}{where}.{key}", 0, "must be a text"))
        return table

    def rows(self, where: str) -> Iterator[tuple[str, Any]]:
        """Go through the rows of a list (逐行), each with its place."""
        for number, row in enumerate(self.get(list, where), start=1):
            yield f"{where}[{number}].", row

    def look(self) -> None:
        """Find texts and keys with characters that nobody sees and no column keeps."""
        ahead: list[tuple[str, Any]] = [("", self.data)]
        while ahead:
            where, value = ahead.pop()
            if isinstance(value, str) and unseen(value, lines=True):
                self.faults.append(Fault(self.file, where, 0, "holds characters that cannot be seen"))
            elif isinstance(value, list):
                ahead += [(where, entry) for entry in value]
            elif isinstance(value, dict):
                ahead += [(f"{where}.{key}".lstrip(".")[:LONGEST_CODE], entry) for key, entry in value.items()]
                ahead += [(where, key) for key in value]
