"""The desk with 10,000 open tasks: server time of the first page of the queue, and of narrower views of it.

`python -m benchmarks.desk` makes the crowd of `benchmarks.crowds` and calls each view as `benchmarks.web` does.
"""

import tempfile
from pathlib import Path
from statistics import median, quantiles

from approval.app import create_app
from benchmarks import crowds
from benchmarks.figures import figure
from benchmarks.web import measure, signed_in

_MOST = 100
_VIEWS = {
    "mine": "?tab=mine",
    "unclaimed": "?tab=free",
    "all": "?tab=all",
    "by_item": "?tab=all&item=food-business-licence",
    "by_number": "?tab=all&number=00001",
    "page_20": "?tab=all&page=20",
}


def main() -> None:
    """Make the crowd, and print a figure for each view of an examiner."""
    with tempfile.TemporaryDirectory() as folder:
        office = crowds.gather(Path(folder), 10_000, 10_000)
        huang = signed_in(create_app(office=office), "huang")
        for name, query in _VIEWS.items():
            took = measure(huang, f"/window/tasks{query}")
            figure(f"desk_{name}_median", median(took), "ms", "<=", _MOST)
            figure(f"desk_{name}_p95", quantiles(took, n=20)[-1], "ms", "<=", _MOST)
        office.close()


if __name__ == "__main__":
    main()
