"""Our engine and plain SpiffWorkflow on the same drawing, each with its state in SQLite and one commit a completion.

Plain means as its documentation says: stock parser, stock script engine, stock serializer, the workflow read from
its JSON, the task run, the engine steps done, the JSON written back.
"""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from approval import engine
from benchmarks.models import Model

_NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)


class _Kept:
    """One state in one row of a SQLite file."""

    def __init__(self, file: Path) -> None:
        self.database = sqlite3.connect(file, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self.database.execute(f"PRAGMA {pragma}")
        self.database.execute("CREATE TABLE IF NOT EXISTS states (id INTEGER PRIMARY KEY, body BLOB)")

    def read(self) -> bytes:
        self.database.execute("BEGIN IMMEDIATE")
        body: bytes = self.database.execute("SELECT body FROM states WHERE id = 1").fetchone()[0]
        return body

    def write(self, body: bytes) -> None:
        self.database.execute("INSERT OR REPLACE INTO states VALUES (1, ?)", (body,))
        if self.database.in_transaction:
            self.database.execute("COMMIT")


class Ours:
    """A case in our engine."""

    def __init__(self, model: Model, folder: Path) -> None:
        self.definition = engine.load({"measured.bpmn": model.ours()})
        self.kept = _Kept(folder / f"ours-{model.name}.db")
        self._keep(engine.start(self.definition, {}, now=_NOW))

    def complete(self) -> None:
        """Complete the first open task."""
        state = self.kept.read()
        self._keep(engine.complete(self.definition, state, self.open, {"result": "again"}, now=_NOW))

    def _keep(self, progress: engine.Progress) -> None:
        self.open = progress.tasks[0].id
        self.kept.write(progress.state)


class Plain:
    """A case in plain SpiffWorkflow."""

    def __init__(self, model: Model, folder: Path) -> None:
        drawn = folder / f"{model.name}.bpmn"
        drawn.write_bytes(model.theirs())
        parser = BpmnParser()
        parser.add_bpmn_file(str(drawn))
        self.serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())
        self.kept = _Kept(folder / f"plain-{model.name}.db")
        workflow = BpmnWorkflow(parser.get_spec("measured"))
        workflow.do_engine_steps()
        self.kept.write(self.serializer.serialize_json(workflow).encode())

    def complete(self) -> None:
        """Complete the first open task."""
        workflow: Any = self.serializer.deserialize_json(self.kept.read().decode())
        task = workflow.get_next_task(state=TaskState.READY, manual=True)
        task.data.update({"result": "again"})
        task.run()
        workflow.do_engine_steps()
        self.kept.write(self.serializer.serialize_json(workflow).encode())
