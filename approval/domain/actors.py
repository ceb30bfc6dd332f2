"""Who acts (操作者): a person with posts, the city's own machinery, or a visitor without a name."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

ADMINISTRATOR = "administrator"


class Post(NamedTuple):
    """A role held in a department (岗位)."""

    department: str
    role: str


@dataclass(frozen=True)
class Actor:
    """Whoever does something (操作者).

    `person` is None for the system and for visitors; `organization` is whom an agent acts for (代理的单位); `via` is
    the system of a department that asks for the person (接入系统).
    """

    name: str
    person: UUID | None = None
    organization: UUID | None = None
    posts: frozenset[Post] = frozenset()
    system: bool = False
    via: str = ""

    def holds(self, department: str, role: str) -> bool:
        """Tell whether the actor holds a post (是否在岗)."""
        return Post(department, role) in self.posts

    @property
    def departments(self) -> frozenset[str]:
        """Where the actor works on cases (经办部门); running the office is no such work (三员分离)."""
        return frozenset(post.department for post in self.posts if post.role != ADMINISTRATOR)

    @property
    def administers(self) -> bool:
        """Tell whether the actor may change what the office runs on (管理员): an administrator, or the system."""
        return self.system or any(post.role == ADMINISTRATOR for post in self.posts)

    @property
    def label(self) -> str:
        """Say who this is in a journal (日志署名): an id, never a name that could change or tell too much."""
        return "system" if self.system else str(self.person or "visitor")


SYSTEM = Actor("系统", system=True)
VISITOR = Actor("访客")
