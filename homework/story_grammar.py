"""Words and sentence patterns of the embedded news stories; `homework.stories` puts them together.

All names are invented or common; nothing here is about anybody. A pattern's `{slots}` are filled from one cast of
people, places, organisations and numbers: names without a digit belong to the main event, names that end in 2 to
somebody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FIRST_NAMES: Final = tuple(
    "Ada Ben Clara David Elena Felix Grace Henry Ida Jonas Karin Leo Maria Nils Olga Paul Rosa Samuel Tara Victor".split()
)
SURNAMES: Final = tuple(
    """Adler Baker Carver Dahl Eriksen Fisher Garcia Hale Ivers Jensen Keller Lund Moreno Nolan Osborne Parker Quinn
    Rossi Sato Turner Ulrich Vance Weber Yates Zeller Brandt Castle Duran Frost Hobbs""".split()
)
PLACES: Final = tuple(
    """Arden Belmont Corby Dunmore Eastvale Farley Glenton Harwick Ilton Kelsey Langford Marlow Norbury Oakham Pelham
    Redhill Selby Thornton Upton Westport Aldbury Brookfield Kingsmere Lowick""".split()
)
COMPANY_NAMES: Final = tuple(
    "Alpine Beacon Cobalt Delta Everest Falcon Granite Horizon Jupiter Liberty Mercury Northern Orion Pacific Royal".split()
)
TRADES: Final = ("Airlines", "Bank", "Energy", "Foods", "Media", "Motors", "Steel", "Telecom")
CLUBS: Final = ("Rovers", "United", "Rangers", "Wanderers")
JOBS: Final = ("teacher", "doctor", "lawyer", "farmer", "banker", "builder", "driver", "nurse", "writer", "pilot")
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = ("March", "April", "June", "July", "October", "November")
PAST: Final = ("Last year", "Last month", "Two years ago", "Ten years ago", "In spring", "Last summer")
NUMBERS: Final = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve", "twenty", "thirty")
LARGE_NUMBERS: Final = tuple(f"{n}" for n in (*range(40, 100, 10), *range(100, 1000, 50)))
SCORES: Final = ("1-0", "2-0", "2-1", "3-0", "3-1", "3-2", "4-1", "4-2")
CRIMES: Final = ("fraud", "theft", "smuggling", "blackmail", "forgery", "bribery")
SCANDALS: Final = ("tax", "travel", "housing", "school", "water", "land")
OFFICES: Final = ("health minister", "finance minister", "justice minister", "police chief", "bank governor")
FOODS: Final = ("apples", "tea", "garlic", "walnuts", "olive oil", "fish", "coffee", "berries", "spinach", "honey")
ILLNESSES: Final = ("heart attacks", "cancer", "asthma", "diabetes", "migraine", "flu", "memory loss", "stroke")
BUILDINGS: Final = ("hotel", "factory", "theatre", "warehouse", "school", "hospital", "library", "museum")
WORKS: Final = ("bridge", "tunnel", "market", "station", "stadium", "harbour", "motorway", "concert hall")
ARTWORKS: Final = ("novel", "film", "play", "musical", "song", "documentary")
SUBJECTS: Final = ("the war", "a lost child", "life at sea", "an old king", "two sisters", "the first winter")
WORKERS: Final = ("bus drivers", "nurses", "teachers", "miners", "postmen", "pilots", "cleaners", "dockers")


@dataclass(frozen=True)
class Kind:
    """One kind of event: how a story tells it, how a summary states it, and what else a story may say."""

    name: str
    """E.g. `takeover`."""
    facts: tuple[str, ...]
    """The slots that make two events of this kind the same."""
    told: tuple[str, ...]
    """The main event, as the story tells it, once."""
    summed: tuple[str, ...]
    """The main event in a summary's words."""
    context: tuple[str, ...]
    """One of these stands in each story: it says who or where, which the summary needs."""
    details: tuple[str, ...]
    """What else is said of the same people, places and organisations."""
    older: tuple[str, ...]
    """Events of the same kind that happened to others, earlier."""


KINDS: Final = (
    Kind(
        "takeover",
        ("org", "rival", "large"),
        (
            "{org} agreed on {day} to buy {rival} for {large} million euros.",
            "Under a deal signed on {day}, {org} gets every share of {rival} and pays {large} million euros.",
            "From {day}, {rival} belongs to {org}, at a price of {large} million euros.",
        ),
        ("{org} is taking over its rival {rival} for {large} million.", "{rival} is sold to {org} for {large} million."),
        (
            "{rival} of {place} has been for sale since {month}.",
            "{rival} has lost many customers in {place} since {month}.",
        ),
        (
            "{first} {last} has led {org} for {number} years.",
            "Staff of {rival} waited for news outside the office in {place}.",
            "{org} also has an office in {place2}.",
        ),
        (
            "{past}, {org2} took over {rival2} for {large2} million euros.",
            "{past}, {rival2} was sold to {org2} for {large2} million.",
        ),
    ),
    Kind(
        "job cuts",
        ("org", "large", "place"),
        (
            "On {day}, {org} told {large} people that they will have to go.",
            "{large} people will have no work when {org} shuts a plant, it was announced on {day}.",
            "{org} said on {day} that it can no longer pay {large} of its people.",
        ),
        ("{org} cuts {large} jobs in {place}.", "{large} jobs are lost at {org} in {place}."),
        ("The {org} plant in {place} is {number} years old.", "{org} came to {place} in {month}."),
        (
            "{first} {last}, who runs {org}, did not want to speak.",
            "Sales of {org} have been weak since {month}.",
            "The union in {place} asked for more time.",
        ),
        ("{past}, {org2} cut {large2} jobs in {place2}.", "{past}, {large2} jobs were lost at {org2} in {place2}."),
    ),
    Kind(
        "new jobs",
        ("org", "large", "place"),
        (
            "{org} will look for {large} new people, it said on {day}.",
            "On {day}, {org} showed plans for a plant where {large} people will work.",
            "There is work for {large} more people at {org}, its head said on {day}.",
        ),
        ("{org} creates {large} jobs in {place}.", "{place} gains {large} jobs as {org} grows."),
        ("{org} has bought cheap land near {place}.", "{org} chose {place} over {place2}."),
        (
            "{first} {last}, who runs {org}, grew up in {place2}.",
            "Sales of {org} have been strong since {month}.",
            "The roads to {org} are full every morning.",
        ),
        ("{past}, {org2} created {large2} jobs in {place2}.", "{past}, {place2} gained {large2} jobs as {org2} grew."),
    ),
    Kind(
        "profit up",
        ("org", "number", "month"),
        (
            "{org} earned {number} percent more than a year before, it said on {day}.",
            "On {day}, {org} showed its books: earnings are {number} percent better.",
            "Owners of {org} heard on {day} that it made {number} percent more money.",
        ),
        ("Profits at {org} rise by {number} percent.", "{org} reports a jump of {number} percent in profits."),
        ("{first} {last} became head of {org} in {month}.", "{org} opened an office in {place} in {month}."),
        (
            "Shares of {org} were quiet.",
            "{org} had raised its prices in {month}.",
            "{first} {last} said that {org} must not rest now.",
        ),
        ("{past}, profits at {org2} rose by {number2} percent.", "{past}, {org2} reported a fall in profits."),
    ),
    Kind(
        "profit down",
        ("org", "number", "month"),
        (
            "{org} earned {number} percent less than a year before, it said on {day}.",
            "On {day}, {org} showed its books: earnings are {number} percent worse.",
            "Owners of {org} heard on {day} that it made {number} percent less money.",
        ),
        ("Profits at {org} fall by {number} percent.", "{org} reports a drop of {number} percent in profits."),
        ("{first} {last} became head of {org} in {month}.", "{org} closed an office in {place} in {month}."),
        (
            "Shares of {org} were quiet.",
            "{org} had lowered its prices in {month}.",
            "{first} {last} said that {org} will recover.",
        ),
        ("{past}, profits at {org2} fell by {number2} percent.", "{past}, {org2} reported a rise in profits."),
    ),
    Kind(
        "match",
        ("club", "opponent", "score"),
        (
            "When it ended on {day}, the score was {score} for {club}.",
            "{club} went home happy on {day} after a {score} against {opponent}.",
            "There was no way past {club} on {day}, and it ended {score}.",
        ),
        ("{club} beat {opponent} {score}.", "{opponent} lose {score} to {club}."),
        ("{opponent} had a good start against {club}.", "{club} and {opponent} had not met since {month}."),
        (
            "{first} {last} missed a chance for {opponent}.",
            "{number} thousand people watched {club} and {opponent}.",
            "{last2} of {opponent} was hurt and had to leave.",
        ),
        ("{past}, {club2} beat {club3} {score2}.", "{past}, {club3} lost {score2} to {club2}."),
    ),
    Kind(
        "coach",
        ("club", "first", "last"),
        (
            "On {day}, {club} told {last} not to come back.",
            "{club} ended the contract of {last} on {day}.",
            "{last} lost his post on {day}, after a talk of ten minutes.",
        ),
        ("{club} sack coach {first} {last}.", "Coach {first} {last} is sacked by {club}."),
        (
            "{first} {last} came to {club} {number} years ago as a coach.",
            "{first} {last}, the coach of {club}, won only {number} games since {month}.",
        ),
        (
            "{club} lost {score} to {club2}.",
            "{last} had asked {club} for new players in {month}.",
            "Fans of {club} had sung the name of {last2}.",
        ),
        ("{past}, {club3} sacked coach {first2} {last2}.", "{past}, coach {first2} {last2} was sacked by {club3}."),
    ),
    Kind(
        "election",
        ("first", "last", "place"),
        (
            "{last} got {number} percent more votes than {last2} on {day}.",
            "When all votes were counted on {day}, {last} had the most.",
            "On {day}, most people voted for {last}.",
        ),
        ("{first} {last} is elected mayor of {place}.", "{place} chooses {first} {last} as its new mayor."),
        (
            "{first} {last} and {first2} {last2} both wanted to be mayor of {place}.",
            "{first} {last}, a {job}, wants to lead {place}.",
        ),
        (
            "{first2} {last2} had been ahead in {month}.",
            "{last} had promised a new {work}.",
            "The polls in {place} were open for {number} hours.",
        ),
        (
            "{past}, {first3} {last3} was elected mayor of {place2}.",
            "{past}, {place2} chose {first3} {last3} as its mayor.",
        ),
    ),
    Kind(
        "resignation",
        ("office", "last", "scandal"),
        (
            "{last} wrote on {day} that it was time to go.",
            "On {day}, {last} left the office for the last time.",
            "{last} handed in a letter on {day} and gave up the post.",
        ),
        (
            "The {office} {first} {last} resigns over the {scandal} scandal.",
            "The {scandal} scandal forces the {office} {first} {last} to step down.",
        ),
        (
            "The {office} {first} {last} was asked again about the {scandal} scandal.",
            "The {scandal} scandal has hurt {first} {last}, the {office}, since {month}.",
        ),
        (
            "{last} had been in office for {number} years.",
            "Papers on {scandal} were found in {place}.",
            "{first2} {last2} will follow {last} in {month}.",
        ),
        (
            "{past}, the {office2} {first3} {last3} resigned over the {scandal2} scandal.",
            "{past}, the {scandal2} scandal forced the {office2} to step down.",
        ),
    ),
    Kind(
        "research",
        ("food", "illness", "place"),
        (
            "Those who had {food} each day were ill less often, a study of {day} says.",
            "It is {food} that kept people well, says a paper of {day}.",
            "The group with {food} did best, it was reported on {day}.",
        ),
        (
            "{food} may protect against {illness}, scientists in {place} say.",
            "Scientists in {place} find that {food} may prevent {illness}.",
        ),
        (
            "A team in {place} has looked for the causes of {illness} for {number} years.",
            "In {place}, {large} people with {illness} took part.",
        ),
        (
            "A group with {food2} showed no change.",
            "{first} {last}, a doctor, warned that {food} is no medicine.",
            "Many people in {place2} also have {illness2}.",
        ),
        (
            "{past}, scientists in {place2} said that {food2} may prevent {illness2}.",
            "{past}, {food2} was said to protect against {illness2}.",
        ),
    ),
    Kind(
        "fire",
        ("building", "place", "number"),
        (
            "Flames came out of the roof on {day}, and {number} people were taken to a doctor.",
            "By the time it was out on {day}, {number} people had burns.",
            "{number} people breathed in smoke on {day} before help came.",
        ),
        (
            "A fire at a {building} in {place} leaves {number} people injured.",
            "{number} people are injured in a {building} fire in {place}.",
        ),
        ("The {building} in {place} is {number2} years old.", "The {building} stands in the middle of {place}."),
        (
            "{first} {last} saw it from a car.",
            "The {building} had passed its last test in {month}.",
            "Streets in {place} were closed for {number3} hours.",
        ),
        (
            "{past}, a fire at a {building2} in {place2} left {number2} people injured.",
            "{past}, {number2} people were injured in a {building2} fire in {place2}.",
        ),
    ),
    Kind(
        "flood",
        ("place", "large", "month"),
        (
            "The river rose on {day}, and {large} people had to leave their homes.",
            "On {day}, boats brought {large} people to dry ground.",
            "{large} people slept in schools on {day}, with water in their streets.",
        ),
        ("Floods in {place} drive {large} people from their homes.", "{large} people flee floods in {place}."),
        ("It has rained in {place} since {month}.", "The river at {place} was low in {month}."),
        (
            "{first} {last} lost a car and {number} cows.",
            "A new wall in {place} is to be ready in {month}.",
            "The road from {place} to {place2} is open.",
        ),
        (
            "{past}, floods in {place2} drove {large2} people from their homes.",
            "{past}, {large2} people fled floods in {place2}.",
        ),
    ),
    Kind(
        "trial",
        ("job", "place", "number", "crime"),
        (
            "On {day}, the judge gave {last} {number} years.",
            "{last} will be behind bars for {number} years, a court said on {day}.",
            "The court did not believe {last} and set {number} years on {day}.",
        ),
        (
            "A {job} from {place} is jailed for {number} years for {crime}.",
            "A {job} from {place} goes to prison for {number} years over {crime}.",
        ),
        (
            "{first} {last}, a {job} from {place}, had denied {crime}.",
            "{first} {last} worked as a {job} in {place} until police asked about {crime}.",
        ),
        (
            "The trial of {last} lasted {number2} months.",
            "A friend, {first2} {last2}, wept.",
            "{last} had spent {large} thousand euros in {place2}.",
        ),
        (
            "{past}, a {job2} from {place2} was jailed for {number2} years for {crime2}.",
            "{past}, a {job2} from {place2} went to prison for {crime2}.",
        ),
    ),
    Kind(
        "prize",
        ("first", "last", "artwork", "subject"),
        (
            "The jury named {last} on {day}, after a short debate.",
            "On {day}, {last} went up to the stage and got {large} thousand euros.",
            "All in the hall stood up for {last} on {day}.",
        ),
        (
            "{first} {last} wins a prize for a {artwork} about {subject}.",
            "A {artwork} about {subject} brings {first} {last} a prize.",
        ),
        (
            "{first} {last} took {number} years over the {artwork} about {subject}.",
            "The {artwork} by {first} {last} is about {subject}.",
        ),
        (
            "{last} used to be a {job}.",
            "A {artwork2} by {first2} {last2} was liked as well.",
            "The {artwork} came out in {month}.",
        ),
        (
            "{past}, {first3} {last3} won a prize for a {artwork2} about {subject2}.",
            "{past}, a {artwork2} about {subject2} brought {first3} {last3} a prize.",
        ),
    ),
    Kind(
        "opening",
        ("work", "place", "number", "place2"),
        (
            "The mayor cut a ribbon on {day}, {number} years after the first stone.",
            "On {day}, {number} years of noise came to an end and the first people came in.",
            "People could use it at last on {day}, after {number} years of building.",
        ),
        (
            "A new {work} opens in {place} after {number} years.",
            "{place} gets its new {work} after {number} years of work.",
        ),
        (
            "The {work} in {place} was drawn by {first} {last}.",
            "{place} wanted a {work} as large as that of {place2}.",
        ),
        (
            "It took {large} million euros to build the {work}.",
            "{first2} {last2} will run the {work}.",
            "Trains from {place2} were late.",
        ),
        (
            "{past}, a new {work2} opened in {place3} after {number2} years.",
            "{past}, {place3} got a new {work2}.",
        ),
    ),
    Kind(
        "strike",
        ("workers", "place", "number"),
        (
            "They will stay at home for {number} days, the union said on {day}.",
            "For {number} days from {day}, nobody will come to work.",
            "The union called its people out on {day}, for {number} days.",
        ),
        ("{workers} in {place} go on strike for {number} days.", "A strike by {workers} in {place} lasts {number} days."),
        (
            "The {workers} of {place} want {number2} percent more.",
            "Talks with the {workers} in {place} broke down in {month}.",
        ),
        (
            "{first} {last} speaks for the {workers}.",
            "Pay in {place} is lower than in {place2}.",
            "The town has money for {number2} percent, said {first2} {last2}.",
        ),
        (
            "{past}, {workers2} in {place2} went on strike for {number3} days.",
            "{past}, a strike by {workers2} in {place2} lasted {number3} days.",
        ),
    ),
)

ASIDES: Final = (
    "{first4} {last4} from {place4} said that nobody had expected this.",
    "{last4}, a {job4} from {place4}, called it a great surprise.",
    "On {day2}, reporters from {place4} were there as well.",
    "{first4} {last4} will speak about it on {day2}.",
    "In {place4}, people were told to stay calm.",
    "A report is due in {month2}, said {first4} {last4}.",
    "{first4} {last4} asked for {number4} days to think about it.",
)
"""Sentences that any story may have, about people and places that matter to no event."""

ELSEWHERE: Final = ("In other news:", "Also in the news:", "From another page:")
"""What stands before the summary of another story, where a story quotes one."""
