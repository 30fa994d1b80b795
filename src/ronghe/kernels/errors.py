"""What a kernel raises when its arrays make no sense.

    ValueError
    └── KernelError          code, details

A kernel knows no language and no labels, so its errors carry a code and the offending numbers; who called it
turns them into a sentence.
"""

from collections.abc import Mapping


class KernelError(ValueError):
    """Input that a formula is not defined for.

    Attributes
    ----------
    code : str
        A short stable name of the fault, such as ``"shape"`` or ``"negative"``.
    details : Mapping[str, object]
        The numbers that show it: an index, a shape, a bound.

    Examples
    --------
    >>> try:
    ...     raise KernelError("negative", "flows must not be negative", index=3)
    ... except KernelError as error:
    ...     error.code, error.details["index"]
    ('negative', 3)
    """

    def __init__(self, code: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.code = code
        self.details: Mapping[str, object] = details
