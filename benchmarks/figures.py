"""The one way a benchmark tells a figure: a line that says what, how much, and what is aimed at."""


def figure(name: str, value: float, unit: str, op: str = "", target: float | None = None) -> None:
    """Print `figure NAME VALUE UNIT (target OP VALUE)`."""
    aim = "" if target is None else f" (target {op} {target:g})"
    print(f"figure {name} {float(f'{value:.4g}'):g} {unit}{aim}", flush=True)
