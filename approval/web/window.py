"""The window (窗口): the tasks of an officer's own posts."""

from uuid import UUID

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from approval.domain.errors import NotAllowed
from approval.office import Work
from approval.services import people, tasks
from approval.web.door import PAGE, Door, asked_page

door = Door("window", __name__, for_people=True)

_SEE_OTHER = 303


@door.get("/window/tasks")
def queue(work: Work) -> str:
    """List the tasks that are free or one's own, the oldest first (我的待办)."""
    if not work.actor.posts:
        raise NotAllowed
    page = asked_page()
    found = tasks.queue(work, limit=PAGE + 1, offset=PAGE * (page - 1))
    return render_template(
        "window/tasks.html",
        tasks=found[:PAGE],
        page=page,
        more=len(found) > PAGE,
        departments=people.departments(work),
    )


@door.post("/window/tasks/<uuid:task_id>/claim")
def claim(work: Work, task_id: UUID) -> Response:
    """Claim a task (签收)."""
    tasks.claim(work, task_id)
    return redirect(url_for("window.queue"), _SEE_OTHER)


@door.post("/window/tasks/<uuid:task_id>/release")
def release(work: Work, task_id: UUID) -> Response:
    """Give a task back (退回)."""
    tasks.release(work, task_id)
    return redirect(url_for("window.queue"), _SEE_OTHER)
