"""The invented city of the demonstration: three units, forty people, every role."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.database import Database
from webinar.people import service, sign_in, store, units
from webinar.people.access import Role, Scope
from webinar.people.passwords import Passwords
from webinar.people.rules import Employment, PersonDraft, Unit

NAME = "Pemerintah Kota Nusawangi"
CODE = "kota-nusawangi"
DOMAIN = "nusawangi.example"
ZONE = "Asia/Jakarta"
PASSWORD = "nusawangi-demo"  # noqa: S105 - it is printed for everybody who starts the demonstration

BKPSDM, EDUCATION, HEALTH = "bkpsdm", "dinas-pendidikan", "dinas-kesehatan"
UNITS = {
    BKPSDM: "Badan Kepegawaian dan Pengembangan SDM",
    EDUCATION: "Dinas Pendidikan",
    HEALTH: "Dinas Kesehatan",
}

# Name, unit, birth year, PNS or not. The first five are those who sign in.
ADMINISTRATOR, ORGANISER, LECTURER, MANAGER, PARTICIPANT = range(5)
LABELS = ("Administrator", "Organiser", "Lecturer", "Unit manager", "Participant")
PEOPLE: tuple[tuple[str, str], ...] = (
    ("Ratna Dewi", BKPSDM),
    ("Bayu Prasetyo", BKPSDM),
    ("Dr. Endang Lestari, M.Si.", BKPSDM),
    ("Agus Setiawan", EDUCATION),
    ("Siti Rahma", EDUCATION),
    ("Andi Firmansyah", EDUCATION),
    ("Budi Hartono", EDUCATION),
    ("Citra Maharani", EDUCATION),
    ("Dewi Anggraini", EDUCATION),
    ("Eko Nugroho", EDUCATION),
    ("Fitri Handayani", EDUCATION),
    ("Galih Pratama", EDUCATION),
    ("Hesti Wulandari", EDUCATION),
    ("Indra Gunawan", EDUCATION),
    ("Joko Susilo", EDUCATION),
    ("Kartika Sari", EDUCATION),
    ("Lukman Hakim", EDUCATION),
    ("Maya Puspita", EDUCATION),
    ("Nanda Saputra", HEALTH),
    ("Oktavia Ramadhani", HEALTH),
    ("Putri Ayuningtyas", HEALTH),
    ("Rizky Maulana", HEALTH),
    ("Sri Wahyuni", HEALTH),
    ("Teguh Santoso", HEALTH),
    ("Umi Kulsum", HEALTH),
    ("Vina Oktaviani", HEALTH),
    ("Wahyu Hidayat", HEALTH),
    ("Yuni Astuti", HEALTH),
    ("Zainal Abidin", HEALTH),
    ("Arif Budiman", HEALTH),
    ("Bunga Permata", HEALTH),
    ("Dimas Aditya", HEALTH),
    ("Erna Kusuma", HEALTH),
    ("Ferdi Kurniawan", HEALTH),
    ("Gita Savitri", BKPSDM),
    ("Hendra Wijaya", BKPSDM),
    ("Intan Permatasari", BKPSDM),
    ("Kurnia Sandi", BKPSDM),
    ("Laila Fitriani", BKPSDM),
    ("Muhammad Iqbal", BKPSDM),
)
# Contract employees, whose number has another middle part.
PPPK = frozenset({13, 27, 33})


@dataclass(frozen=True, slots=True)
class City:
    """The demonstration's institution: unit ids by code, person ids in the order of `PEOPLE`."""

    id: str
    name: str
    units: dict[str, str]
    people: tuple[str, ...]
    doors: tuple[tuple[str, str], ...]

    @property
    def scope(self) -> Scope:
        return Scope.system(self.id)

    @property
    def participants(self) -> tuple[str, ...]:
        return self.people[PARTICIPANT:]


def email_of(name: str) -> str:
    """Titles left out: endang.lestari@… for Dr. Endang Lestari, M.Si."""
    words = [word for word in name.partition(",")[0].lower().split() if not word.endswith(".")]
    return f"{'.'.join(words)}@{DOMAIN}"


def nip_of(number: int) -> str:
    """A well-formed number that nobody has."""
    born = f"{1970 + number % 26}{1 + number % 12:02}{1 + number * 7 % 28:02}"
    year = 1970 + number % 26 + 25
    middle = f"{year}21" if number in PPPK else f"{year}{1 + number * 5 % 12:02}"
    return f"{born}{middle}{1 + number % 2}{number + 1:03}"


async def institutions(session: AsyncSession) -> list[Unit]:
    return await store.institutions(session)


async def found(session: AsyncSession) -> City | None:
    """The city as it is in the database, or None."""
    root = next((unit for unit in await institutions(session) if unit.code == CODE), None)
    if root is None:
        return None
    scope = Scope.system(root.id)
    by_code = {unit.code: unit.id for unit in await store.units(session, scope)}
    by_email: dict[str, str] = {}
    after: str | None = None
    while True:
        page = await store.persons(session, scope, after=after, limit=store.PAGE_MOST)
        by_email.update({person.email: person.id for person in page.people if person.email})
        if (after := page.next) is None:
            break
    emails = [email_of(name) for name, _ in PEOPLE]
    if not all(email in by_email for email in emails):
        return None
    doors = tuple(zip(LABELS, emails, strict=False))
    return City(root.id, root.name, by_code, tuple(by_email[email] for email in emails), doors)


async def settled(db: Database, passwords: Passwords, now: int) -> City:
    """The city, founded if it is not there, with passwords that work."""
    hashed = await passwords.hash(PASSWORD)
    async with db.writing() as session:
        city = await found(session) or await _founded(session, now)
        for number in range(len(LABELS)):
            await sign_in.set_password(session, city.people[number], city.id, hashed, now)
    return city


async def _founded(session: AsyncSession, now: int) -> City:
    root = await units.create_institution(session, name=NAME, code=CODE, now=now, zone=ZONE)
    scope = Scope.system(root.id)
    by_code = {}
    for code, name in UNITS.items():
        unit = await units.create_unit(session, scope, parent_id=root.id, name=name, code=code, now=now)
        by_code[code] = unit.id
    people = []
    for number, (name, code) in enumerate(PEOPLE):
        draft = PersonDraft(
            name=name,
            email=email_of(name),
            unit_id=by_code[code],
            nip=nip_of(number),
            employment=Employment.PPPK if number in PPPK else Employment.PNS,
            zone=ZONE,
        )
        people.append((await service.create_person(session, scope, draft, now)).id)
    roles = (
        (ADMINISTRATOR, Role.ADMINISTRATOR, root.id),
        (ORGANISER, Role.ORGANISER, root.id),
        (LECTURER, Role.LECTURER, root.id),
        (MANAGER, Role.UNIT_MANAGER, by_code[EDUCATION]),
    )
    for number, role, unit_id in roles:
        await service.grant(session, scope, people[number], role, unit_id, now)
    doors = tuple((label, email_of(PEOPLE[number][0])) for number, label in enumerate(LABELS))
    return City(root.id, NAME, by_code, tuple(people), doors)
