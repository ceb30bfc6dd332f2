"""The desk with 10,000 open tasks: server time of the first page of the queue, and of narrower views of it.

`python -m benchmarks.desk` files cases through the real services into a SQLite office of its own, and calls each view
through the whole WSGI application in one process.
"""

import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

from flask.testing import FlaskClient

from approval.app import create_app
from approval.services import people
from benchmarks.engine import office_in
from benchmarks.figures import figure
from tests.kit import walks

_OPEN = 10_000
_TIMES, _BEFORE = 40, 5
_PASSWORD = "benchmark-2026"
_VIEWS = {
    "mine": "?tab=mine",
    "unclaimed": "?tab=free",
    "all": "?tab=all",
    "by_item": "?tab=all&item=food-business-licence",
    "by_number": "?tab=all&number=00001",
    "page_20": "?tab=all&page=20",
}


def main() -> None:
    """File, then measure and print a figure for each view."""
    with tempfile.TemporaryDirectory() as folder, office_in(Path(folder), "") as office:
        for _ in range(_OPEN):
            walks.file(office)
        with office.work() as work:
            people.set_password(work, "wang", _PASSWORD)
        client = create_app(office=office).test_client()
        page = client.get("/sign-in").text
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        client.post("/sign-in", data={"csrf_token": token, "name": "wang", "password": _PASSWORD})
        for name, query in _VIEWS.items():
            spent = [_timed(client, f"/window/tasks{query}") for _ in range(_BEFORE + _TIMES)][_BEFORE:]
            figure(f"queue_{name}_median", median(spent), "ms", "<=", 100)
            figure(f"queue_{name}_p95", quantiles(spent, n=20)[-1], "ms", "<=", 100)


def _timed(client: FlaskClient, path: str) -> float:
    clock = time.perf_counter()
    assert client.get(path).status == "200 OK"
    return (time.perf_counter() - clock) * 1e3


if __name__ == "__main__":
    main()
