"""Slot values as prompts: every value that a parser can give is read out with pieces that are checked to exist."""

import datetime
from pathlib import Path

import pytest

from audio_prompts.catalogue import read_catalogue
from dialogue.flow import Slot
from dialogue.readout import NUMBERS, YEAR, pieces_of, read_out

ZIP = Slot("zip", "zip_code")
WHEN = Slot("when", "date_time", say_as={"any_time": "slot_any_time"})


@pytest.mark.parametrize(
    ("slot", "value", "prompts"),
    [
        (ZIP, "06000", ("digit_0", "digit_6", "digit_0", "digit_0", "digit_0")),
        (Slot("p", "phone"), "+33612345678", tuple(f"digit_{d}" for d in "0612345678")),
        (Slot("p", "phone"), "+262692123456", tuple(f"digit_{d}" for d in "0692123456")),
        (Slot("p", "phone"), "+393331234567", tuple(f"digit_{d}" for d in "00393331234567")),
        (WHEN, "2026-11-24", ("weekday_2", "day_24", "month_11")),
        (WHEN, "2026-11-24T14:30", ("weekday_2", "day_24", "month_11", "at", "hour_14", "minute_30")),
        (WHEN, "2026-11-24T14:33", ("weekday_2", "day_24", "month_11", "at", "hour_14", "digit_3", "digit_3")),
        (WHEN, "2026-11-24T14:03", ("weekday_2", "day_24", "month_11", "at", "hour_14", "digit_3")),
        (WHEN, "2026-11-01T00:00", ("weekday_7", "day_1", "month_11", "at", "hour_0")),
        (
            WHEN,
            "2026-11-24T16:00/2026-11-24T18:00",
            ("weekday_2", "day_24", "month_11", "between", "hour_16", "and", "hour_18"),
        ),
        (
            WHEN,
            "2026-11-24/2026-11-26",
            ("from", "weekday_2", "day_24", "month_11", "to", "weekday_4", "day_26", "month_11"),
        ),
        (WHEN, "any_time", ("slot_any_time",)),
        (WHEN, "some day", ()),
        (Slot("c", "choice", {"red": ("rouge",)}, {"red": "colour_red"}), "red", ("colour_red",)),
    ],
)
def test_read_out(slot: Slot, value: str, prompts: tuple[str, ...]) -> None:
    assert read_out(slot, value) == prompts
    assert set(prompts) <= set(pieces_of(slot))


def test_every_moment_of_a_year_is_read_out_with_prompts_that_exist() -> None:
    texts = read_catalogue(Path(__file__).resolve().parents[2] / "audio_prompts" / "fr" / "prompts.yaml").texts
    moment = datetime.datetime(2026, 1, 1)
    while moment.year == 2026:
        prompts = read_out(WHEN, moment.isoformat(timespec="minutes"))
        assert len(prompts) >= 5
        assert set(prompts) <= set(texts)
        moment += datetime.timedelta(hours=5, minutes=7)


@pytest.mark.parametrize(
    "slot",
    [
        Slot("c", "choice", {"red": ("rouge",), "blue": ("bleu",)}, {"red": "colour_red"}),
        Slot("c", "choice", {"red": ("rouge",)}),
        Slot("y", "yes_no"),
    ],
)
def test_values_without_prompts_cannot_be_read_out(slot: Slot) -> None:
    assert pieces_of(slot) == ()


NUMBERS_TOO = {*NUMBERS, YEAR}


def test_a_telephone_number_is_read_as_one_says_it_there() -> None:
    slot, value = Slot("p", "phone"), "+33612345678"
    assert read_out(slot, value, "FR", None, NUMBERS_TOO) == (
        "digit_0", "digit_6", "number_12", "number_34", "number_56", "number_78",
    )  # fmt: skip
    assert read_out(slot, "+33601020304", "FR", None, NUMBERS_TOO) == tuple(f"digit_{d}" for d in "0601020304")
    assert read_out(slot, "+393331234567", "IT", None, NUMBERS_TOO) == tuple(f"digit_{d}" for d in "3331234567")
    assert read_out(slot, "+442079460958", "GB", None, NUMBERS_TOO) == tuple(f"digit_{d}" for d in "02079460958")


@pytest.mark.parametrize("minute", range(60))
def test_a_time_is_read_to_the_minute_that_is_stored(minute: int) -> None:
    prompts = read_out(WHEN, f"2026-11-24T14:{minute:02d}", "FR", None, NUMBERS_TOO)
    said = "".join(prompt.split("_")[1] for prompt in prompts[5:]) or "0"
    assert (prompts[4], int(said)) == ("hour_14", minute)


def test_a_date_far_away_is_read_with_its_year() -> None:
    today = datetime.date(2026, 11, 20)
    far = read_out(WHEN, "2028-02-29", "FR", today, NUMBERS_TOO)
    assert far == ("weekday_2", "day_29", "month_2", "year_2000", "number_28")
    assert read_out(WHEN, "2026-12-29", "FR", today, NUMBERS_TOO) == ("weekday_2", "day_29", "month_12")


def test_the_french_catalogue_has_every_number() -> None:
    texts = read_catalogue(Path(__file__).resolve().parents[2] / "audio_prompts" / "fr" / "prompts.yaml").texts
    assert set(texts) >= NUMBERS_TOO
