"""Run the command line as ``python -m hearspike``."""

from hearspike.leaderboard.cli import main

if __name__ == "__main__":
    main()
