"""The page of evidence that came later: what it shows, and that words stay words."""

import pytest

from tests.integration.pages_world import a_world, stayed
from tests.integration.test_pages_read import CORPUS
from tests.site import RunningSite
from webinar.attendance.tables import AttendanceRow
from webinar.lectures import store as lectures
from webinar.lectures.tables import RegistrationRow
from webinar.people.tables import PersonRow


@pytest.mark.parametrize("text", ["Peladen terlambat.", *CORPUS[:2]])
async def test_what_came_later_is_shown_and_accepted_with_a_reason(site: RunningSite, text: str) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    path, lecture = world.path("final", "late-evidence"), world.lectures["final"]
    assert "registration_id" not in (await ratna.get(path)).text
    async with site.database.writing() as session:
        seat = await lectures.registration_of(session, lecture.id, world.participant.id)
        assert seat is not None
        row = await session.get_one(RegistrationRow, seat.id)
        person = await session.get_one(PersonRow, seat.person_id)
        person.name = text
        # Everything that was settled was of nobody: as if the media server had told of her later only.
        await session.execute(
            AttendanceRow.__table__.update()
            .where(AttendanceRow.registration_id == row.id)
            .values(jp=0, seconds=0)
        )
        await stayed(session, lecture, row, lecture.starts_at + 1_000, lecture.ends_at + 1_000)
    page = await ratna.get(path)
    assert (page.status, "registration_id" in page.text) == (200, True)
    form = {"registration_id": seat.id, f"seen.{seat.id}": "0", "reason": text}
    wrong = [
        await ratna.post(path, {**form, "reason": " "}),
        await ratna.post(path, {**form, f"seen.{seat.id}": "100"}),
    ]
    assert [one.status for one in wrong] == [422, 412]
    for one in (page, *wrong):
        assert not [bad for bad in ("<script>alert", "<img src=x") if bad in one.text]
    assert (await ratna.post(path, form)).status == 303
    assert "registration_id" not in (await ratna.get(path)).text
