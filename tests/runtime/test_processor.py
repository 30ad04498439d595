"""What the system says of its processor, from texts as Linux writes them."""

from pathlib import Path

import pytest

from spinert.runtime import processor

WITH = "processor\t: 0\nmodel name\t: Example 9000\nflags\t\t: fpu avx2 {} sse4_2\n\nprocessor\t: 1\nflags\t\t: fpu\n"


@pytest.mark.parametrize(
    ("flag", "has"), [("avx512_vnni", True), ("avx_vnni", True), ("avx512f", False), ("avx512_vnni_like", False)]
)
def test_vnni_is_read_from_the_flags(tmp_path: Path, flag: str, has: bool) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(WITH.format(flag))
    assert processor.has_vnni(path) is has
    assert processor.name(path) == "Example 9000"


def test_what_a_proof_rests_on_is_the_widest_alone_and_is_missed_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(WITH.format("avx_vnni avx512_vnni"))
    assert processor.vnni(path) == ("avx512_vnni",)
    assert processor.lacks(("avx512_vnni",), path) == ()
    path.write_text(WITH.format("avx512f"))
    assert processor.vnni(path) == ()
    assert processor.lacks(("avx512_vnni",), path) == ("avx512_vnni",)


@pytest.mark.parametrize("text", [None, "", "processor : 0\nFeatures : asimd\n"])
def test_where_nothing_is_told_the_safe_answer_is_given(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "cpuinfo"
    if text is not None:
        path.write_text(text)
    assert processor.has_vnni(path) is False
    assert processor.name(path) == "unknown processor"
