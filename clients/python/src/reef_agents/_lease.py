"""How long something is certainly ours, by this machine's own clock.

The hub counts a lease from the moment it grants it, which lies between the request and the answer.
Here it is counted from the request, so that it always ends sooner than the hub's, however long the
answer took, the process was paused or the machine slept.
"""

from . import _clock


class Lease:
    """One lease: of a task, or of the lead."""

    def __init__(self, seconds: float, asked: float) -> None:
        """A lease that was asked for at ``asked``."""
        self.seconds = seconds
        self._asked = asked

    def renew(self, asked: float) -> None:
        """The hub has granted what was asked for at ``asked``. Answers may overtake each other."""
        self._asked = max(self._asked, asked)

    @property
    def renew_at(self) -> float:
        """When to renew it, if nothing else did: half of it is left for tries that fail."""
        return self._asked + self.seconds / 2

    @property
    def ends_at(self) -> float:
        """When whoever holds it must be told to stop; the rest is for the stopping."""
        return self._asked + self.seconds * 3 / 4

    @property
    def is_over(self) -> bool:
        """Whether it can no longer be counted on."""
        return _clock.now() >= self.ends_at
