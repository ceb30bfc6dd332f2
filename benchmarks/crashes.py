"""Kill -9 at random while 500 cases walk through web and worker processes; then everything is counted.

`python -m benchmarks.crashes [CASES]` drills on SQLite with one worker; with `APPROVAL_TEST_DATABASE_URL` on that
PostgreSQL server with two. It ends with figures once every case has ended, every effect in the database happened once,
every call had one effect outside, and no journal has a gap; what is not so is an AssertionError that says what.
"""

import sys
import tempfile
from pathlib import Path

from approval.settings import Settings
from tests.kit import crashes, databases

_CASES, _LEAST_KILLS = 500, 20


def main(cases: int) -> None:
    """Drill, and print what it cost."""
    kind, workers = ("postgresql", 2) if databases.URL else ("sqlite", 1)
    with tempfile.TemporaryDirectory() as folder, databases.empty() as url:
        settings = Settings(instance=Path(folder) / "instance", database_url=url)
        toll = crashes.drill(settings, cases=cases, workers=workers, lives=(0.5, 12.0))
    print(f"figure crashes-{kind}-cases-ended-whole {cases} cases (target >= {_CASES})")
    print(f"figure crashes-{kind}-kills {toll.kills.total()} kills (target >= {_LEAST_KILLS})")
    for name, count in sorted(toll.kills.items()):
        print(f"figure crashes-{kind}-kills-{name} {count} kills")
    print(f"figure crashes-{kind}-sent-again {toll.retried} requests")
    print(f"figure crashes-{kind}-asked-again-outside {toll.asked - cases} calls")
    print(f"figure crashes-{kind}-effects-lost-or-twice 0 effects (target <= 0)")
    print(f"figure crashes-{kind}-time {toll.seconds:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else _CASES)
