"""Reading single attributes of a dataset: absent and empty are the same, and nothing in a file may raise but BadStudy.

pydicom converts a value when it is first read, and what a damaged value then raises is not bounded by its
documentation; so every read of an attribute passes through `element`.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable
from typing import Any

from pydicom import Dataset
from pydicom.datadict import dictionary_description, tag_for_keyword
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from spinert.errors import BadStudy

_KEY = secrets.token_bytes(32)


def label(keyword: str) -> str:
    """Name and tag as the standard writes them, such as `Pixel Spacing (0028,0030)`."""
    tag = tag_for_keyword(keyword)
    assert tag is not None, keyword
    return f"{dictionary_description(tag)} ({tag >> 16:04X},{tag & 0xFFFF:04X})"


def element(dataset: Dataset, keyword: str, error: type[BadStudy] = BadStudy) -> Any:
    """The value, None where absent or empty. Raises `error` where the bytes are no value of this attribute."""
    try:
        value = dataset.get(keyword)
    except Exception:  # the message of pydicom would repeat the value
        raise error(f"{label(keyword)} cannot be read", "export the file again, its header is damaged") from None
    return None if value is None or (isinstance(value, (str, MultiValue, list)) and not value) else value


def numbers(dataset: Dataset, keyword: str, error: type[BadStudy] = BadStudy) -> tuple[float, ...]:
    """All values as floats, () where absent. Raises `error` where one is no number."""
    value = element(dataset, keyword, error)
    if value is None:
        return ()
    try:
        return tuple(float(one) for one in _several(value))
    except (TypeError, ValueError, OverflowError):
        raise error(f"{label(keyword)} is not a number", "export the file again, its header is damaged") from None


def integer(dataset: Dataset, keyword: str, default: int) -> int:
    """The first value, `default` where absent. Raises BadStudy where it is no whole number."""
    values = numbers(dataset, keyword)
    if not values:
        return default
    if not values[0].is_integer():
        raise BadStudy(f"{label(keyword)} is {values[0]}, not a whole number", "export the file again")
    return int(values[0])


def words(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """All values as upper case text without surrounding blanks, () where absent."""
    value = element(dataset, keyword)
    if value is None:
        return ()
    return tuple(str(one).strip().upper() for one in _several(value))


def word(dataset: Dataset, keyword: str) -> str:
    """The first value as upper case text, "" where absent."""
    return next(iter(words(dataset, keyword)), "")


def shown(text: str) -> str:
    """A code as an error may quote it (PS3.5 6.2, CS); anything else in its place might be a name."""
    return text if re.fullmatch(r"[A-Z0-9_ ]{0,16}", text) else "(no code)"


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence, [] where absent."""
    value = element(dataset, keyword)
    return list(value) if isinstance(value, Sequence) else []


def uid(dataset: Dataset, keyword: str) -> str | None:
    """A UID, None where absent or malformed: text in its place might be a name."""
    value = str(element(dataset, keyword) or "").strip()
    return value if re.fullmatch(r"[0-9.]{1,64}", value) else None


def fingerprint(dataset: Dataset, keyword: str) -> bytes | None:
    """A hash of the value by a key that this process forgets; None where absent."""
    value = word(dataset, keyword)
    return hashlib.blake2b(value.encode(), key=_KEY, digest_size=16).digest() if value else None


def _several(value: Any) -> Iterable[Any]:
    return value if isinstance(value, (MultiValue, list)) else (value,)
