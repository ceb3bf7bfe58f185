"""Letters for a picture without video: a 5x7 bitmap, since a server has no fonts we could rely on."""

import unicodedata

import numpy as np
from numpy.typing import NDArray

_ROWS = 7
_GLYPHS = {
    "A": "0E11111F111111", "B": "1E11111E11111E", "C": "0E11101010110E", "D": "1E11111111111E",
    "E": "1F10101E10101F", "F": "1F10101E101010", "G": "0E11101711110F", "H": "1111111F111111",
    "I": "0E04040404040E", "J": "0702020202120C", "K": "11121418141211", "L": "1010101010101F",
    "M": "111B1515111111", "N": "11111915131111", "O": "0E11111111110E", "P": "1E11111E101010",
    "Q": "0E11111115120D", "R": "1E11111E141211", "S": "0F10100E01011E", "T": "1F040404040404",
    "U": "1111111111110E", "V": "11111111110A04", "W": "1111111515150A", "X": "11110A040A1111",
    "Y": "1111110A040404", "Z": "1F01020408101F", "0": "0E11131519110E", "1": "040C040404040E",
    "2": "0E11010204081F", "3": "1F02040201110E", "4": "02060A121F0202", "5": "1F101E0101110E",
    "6": "0608101E11110E", "7": "1F010204080808", "8": "0E11110E11110E", "9": "0E11110F01020C",
    ".": "00000000000C0C", ",": "000000000C0408", ":": "000C0C000C0C00", "-": "0000001F000000",
    "/": "00010204081000", "(": "02040808080402", ")": "08040202020408", "?": "0E110102040004",
    "!": "04040404040004", "&": "0C12140815120D", "'": "0C040800000000",
    '"': "0A0A0000000000", "+": "0004041F040400",
}  # fmt: skip


def lettering(text: str, width: int) -> NDArray[np.bool_]:
    """The text in one line as a mask no wider than `width`, as large as fits; cut when too long."""
    plain = unicodedata.normalize("NFKD", text).upper()
    letters = [c if c in _GLYPHS else " " for c in plain if not unicodedata.combining(c)]
    scale = max(3, min(7, width // (6 * max(1, len(letters)))))
    letters = letters[: width // (6 * scale)]
    mask = np.zeros((_ROWS, max(1, 6 * len(letters) - 1)), np.bool_)
    for index, letter in enumerate(letters):
        if letter != " ":
            mask[:, 6 * index : 6 * index + 5] = _glyph(_GLYPHS[letter])
    return np.repeat(np.repeat(mask, scale, axis=0), scale, axis=1)


def _glyph(rows: str) -> NDArray[np.bool_]:
    numbers = np.frombuffer(bytes.fromhex(rows), np.uint8)
    return (numbers[:, None] >> np.arange(4, -1, -1) & 1).astype(np.bool_)
