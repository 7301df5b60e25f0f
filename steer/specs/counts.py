"""Counts of problems that nobody asked for."""


class UpTo(int):
    """The default of a count: what there is, at most this many.

    On the wire it is a field that is absent; a server makes it a plain number when it creates a
    run.
    """

    __slots__ = ()
