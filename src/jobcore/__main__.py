"""The `jobcore` command as `python -m jobcore`."""

from jobcore.cli import main

if __name__ == "__main__":
    main()
