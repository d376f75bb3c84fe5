"""The migrations, oldest first, each with the tables as they were then."""
