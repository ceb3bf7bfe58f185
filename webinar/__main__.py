"""`python -m webinar` is the command `webinar`."""

from webinar.cli import main

if __name__ == "__main__":
    main()
