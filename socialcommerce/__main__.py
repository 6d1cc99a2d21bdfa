"""The first step of the ``socialcommerce`` command: an interrupt is one line, also while the rest is being loaded."""

import sys

__all__ = ["main"]


def main() -> int:
    """Load and run the command; see `socialcommerce.cli.main`."""
    try:
        from socialcommerce.cli import main as work

        return work()
    except KeyboardInterrupt as wrong:
        import nbproof

        return nbproof.ended(wrong)


if __name__ == "__main__":
    sys.exit(main())
