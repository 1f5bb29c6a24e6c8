"""An action goes on when the bot manager is killed: the caller hears its answer, and what it does is done once.

A thousand of them: `python -m benchmarks.action_kills`.
"""

from __future__ import annotations

from pathlib import Path

from tests.bot_manager.action_kills import Kills, ledger_of, write_flow
from tests.bot_manager.conftest import Exchange


async def test_a_killed_bot_manager_books_once(
    bot_settings: dict[str, str], flows_dir: Path, exchange: Exchange, tmp_path: Path
) -> None:
    async with ledger_of(seed=1) as ledger:
        write_flow(flows_dir, ledger.port)
        rounds = await Kills(bot_settings, exchange, ledger, tmp_path).run(rounds=2, calls=6, seed=1)
    assert [one.booked for one in rounds] == [6, 6]
    assert set(ledger.effects.values()) == {1}
    assert len(ledger.effects) == 12
    assert max(ledger.asked.values()) > 1  # some were under way, and were asked again
