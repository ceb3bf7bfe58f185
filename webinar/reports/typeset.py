"""Sets a document with Typst, in a process of its own: `python -m webinar.reports.typeset NAME < data > pdf`.

The typesetter keeps about a hundred kilobytes for each row of a list, and gives none of it back until
its process ends. Data comes in as JSON and is set as text, never read as markup.
"""

import asyncio
import sys
from pathlib import Path

TEMPLATES = Path(__file__).parents[2] / "templates" / "reports"
FONTS = Path(__file__).parents[1] / "web" / "static" / "built" / "fonts"
TIMEOUT_S = 90


class TypesettingFailed(Exception):  # noqa: N818 - it reads as a sentence where it is raised
    """The document could not be set; says what the typesetter said."""


async def pdf(template: str, data: str) -> bytes:
    """The document as PDF.

    Args:
        template: the name of a file in templates/reports.
        data: what it says, as JSON.

    Raises:
        TypesettingFailed: the typesetter gave up, or took too long.
    """
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, template, stdin=pipe, stdout=pipe, stderr=pipe
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            content, said = await process.communicate(data.encode())
    except TimeoutError:
        raise TypesettingFailed(f"{template} took longer than {TIMEOUT_S} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise TypesettingFailed(said.decode(errors="replace")[-2_000:])
    return content


def main() -> None:
    import typst

    content = typst.compile(
        TEMPLATES / sys.argv[1],
        root=TEMPLATES,
        font_paths=[FONTS] if FONTS.is_dir() else [],
        format="pdf",
        sys_inputs={"data": sys.stdin.buffer.read().decode()},
        # The structure for screen readers is twenty times as large as a long list itself.
        pdf_tags=False,
    )
    sys.stdout.buffer.write(content)


if __name__ == "__main__":
    main()
