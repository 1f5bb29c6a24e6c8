"""How many spoken zip codes, telephone numbers and dates are read exactly, over sets that no test asserts on.

python -m benchmarks.slots --seeds 10
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime

from dialogue.slots import parse
from tests.slots import spoken

NOW = datetime(2026, 11, 20, 10, 15)
FIRST_SEED = 100
Sets = Callable[[int], list[spoken.Case]]
SETS: dict[str, tuple[Sets, str, str, str]] = {
    "French zip codes": (lambda seed: spoken.french_zip_codes(300, seed), "zip_code", "fr", "FR"),
    "French telephone numbers": (lambda seed: spoken.french_phone_numbers(100, seed), "phone", "fr", "FR"),
    "French dates": (lambda seed: spoken.french_dates(100, seed, NOW), "date_time", "fr", "FR"),
    "Italian zip codes": (lambda seed: spoken.italian_zip_codes(100, seed), "zip_code", "it", "IT"),
    "Italian dates": (lambda seed: spoken.italian_dates(100, seed, NOW), "date_time", "it", "IT"),
    "English zip codes": (lambda seed: spoken.english_zip_codes(100, seed), "zip_code", "en", "US"),
    "English dates": (lambda seed: spoken.english_dates(100, seed, NOW), "date_time", "en", "US"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=10, help="sets of each kind")
    parser.add_argument("--misread", action="store_true", help="list what was misread")
    args = parser.parse_args()
    print("| set | cases | exact | read as another value | not read |\n|---|---|---|---|---|")
    for name, (make, slot_type, language, region) in SETS.items():
        cases = [case for seed in range(FIRST_SEED, FIRST_SEED + args.seeds) for case in make(seed)]
        values = [parse(slot_type, case.said, language, now=NOW, region=region).value for case in cases]
        other = [(case, value) for case, value in zip(cases, values, strict=True) if value not in (case.meant, None)]
        missing = [(case, value) for case, value in zip(cases, values, strict=True) if value is None]
        exact = 1 - (len(other) + len(missing)) / len(cases)
        print(f"| {name} | {len(cases)} | {exact:.1%} | {len(other)} | {len(missing)} |")
        for case, value in [*other, *missing] if args.misread else []:
            print(f"    {case.said!r}: {value}, meant {case.meant}")


if __name__ == "__main__":
    main()
