"""`python -m service.cli`, for where the script `imprimatur` is not on the path."""

from service.cli import main

if __name__ == "__main__":
    main()
