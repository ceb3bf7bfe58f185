"""What `make demo-verify` promises, it finds."""

import pytest

from scripts import demo_verify


async def test_a_fresh_demonstration_holds_and_each_change_in_it_is_found(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert await demo_verify.main()
    said = capsys.readouterr().out
    assert said.count("the chain holds") == 2
    assert said.count("DOES NOT HOLD") == 3
