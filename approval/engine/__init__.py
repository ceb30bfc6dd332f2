"""The engine room (流程引擎): BPMN as pure data behind seven doors, SpiffWorkflow nowhere else.

What an author must know. Facts are names at the top; each human task, errand and message writes its outcome
under its own element id and nothing else, a business rule task `{"result", "rules"}` under its result
variable or id. A called process sees its caller's names and hands its outcomes back, each under its own id
and all of them under the call's id. In a loop the newest outcome replaces the one before.
"""

import logging

from approval.engine.catching import Thrown
from approval.engine.checks import check
from approval.engine.definitions import ANY, Definition, Limits, Post, load
from approval.engine.doors import catch_up, complete, deliver, fail, move, place, start
from approval.engine.migrations import Survey, migrate, survey
from approval.engine.progress import Errand, Progress, Task, Timer
from approval.engine.states import CannotMigrate, StateRefused
from approval.engine.steps import NoWayOn

__all__ = [
    "ANY",
    "CannotMigrate",
    "Definition",
    "Errand",
    "Limits",
    "NoWayOn",
    "Post",
    "Progress",
    "StateRefused",
    "Survey",
    "Task",
    "Thrown",
    "Timer",
    "catch_up",
    "check",
    "complete",
    "deliver",
    "fail",
    "load",
    "migrate",
    "move",
    "place",
    "start",
    "survey",
]

# SpiffWorkflow gathers what it would log at every step, whether or not anybody listens.
for _name in ("spiff.task", "spiff.workflow"):
    logging.getLogger(_name).setLevel(logging.WARNING)
