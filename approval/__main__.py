"""`python -m approval`: the same as the command `approval`."""

from approval.cli import main

if __name__ == "__main__":
    main()
