"""What a user got wrong, which is answered by one sentence."""

from __future__ import annotations


class MistakeError(Exception):
    """The command cannot be done as it was given; nothing was."""

    def __init__(self, subject: str, problem: str) -> None:
        super().__init__(subject, problem)
        self.subject = subject
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.subject} {self.problem}"
