"""The watchdog: looks at an engine again and again, and ends its orders while it is gone."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal

from tradecore.domain.errors import ConfigError, StorageError, TradecoreError
from tradecore.domain.times import span_text
from tradecore.domain.venue_findings import OrderSeen
from tradecore.runtime.live.client_ids import is_ours
from tradecore.runtime.live.orphans import Orphans, OrphanStatus
from tradecore_api.bounded import Call
from tradecore_api.config.process_tables import WatchdogCancels, WatchdogTable
from tradecore_api.heartbeat import process_start
from tradecore_api.held_words import held_words
from tradecore_api.state_dir import StateDir
from tradecore_api.watchdog.alarms import Alarms
from tradecore_api.watchdog.eyes import Eyes
from tradecore_api.watchdog.presence import WatchdogBeat
from tradecore_api.watchdog.pulse import Pulse, Standing

POLL_SECONDS = 0.2
BEAT_SECONDS = 1.0
# A start may have no socket for minutes; each question to it waits in a line.
ASK_START_SECONDS = 5.0
# The same trouble at a venue is told once in so long.
TROUBLE_SECONDS = 60.0
RETRY_SECONDS = 1.0
_GONE = {
    Standing.DEAD: "the engine of {account} is DEAD: its process is gone and did not say that it ended",
    Standing.HUNG: "the engine of {account} HANGS: no heartbeat and no answer for {silence}",
}
_BACK = {
    Standing.RUNNING: "the engine of {account} is back: it looks after its orders itself",
    Standing.STARTING: "an engine of {account} starts: it will look after the orders",
    Standing.ENDED: "the engine of {account} has ended cleanly: what it left at the venue stays there",
    Standing.NONE: "no engine of {account} is known any more",
}


class Owners:
    """Tells whose orders a watchdog ends, by what the engine's heartbeat says of their names.

    Parameters
    ----------
    cancels : WatchdogCancels
        Those of the engine, or all.
    """

    def __init__(self, cancels: WatchdogCancels) -> None:
        self._cancels = cancels
        self._names: dict[str, str] = {}

    def learn(self, names: Mapping[str, str]) -> None:
        """Take in how the names of the engine's orders begin, by account."""
        self._names.update(names)

    def owns(self, account: str) -> Callable[[OrderSeen], bool]:
        """Return what tells whether an order at an account is to be ended.

        As long as the engine has not said how its names begin, all that have the form of ours are taken for
        its own.
        """

        def is_to_end(order: OrderSeen) -> bool:
            if self._cancels is WatchdogCancels.ACCOUNT:
                return True
            begins = self._names.get(account)
            if begins is None:
                return is_ours(order.client_order_id)
            return (order.client_order_id or "").startswith(tuple(begins.split()))

        return is_to_end


class Watchdog:
    """Watches one engine, and ends the orders of all its accounts while it is gone.

    Parameters
    ----------
    state : StateDir
        Of the engine.
    table : WatchdogTable
        When it is taken for gone, and who is told.
    accounts : mapping of str to Orphans
        What ends its orders, by account.
    owners : Owners
        What is told how the names of its orders begin.
    lot_sizes : mapping of str to Decimal
        Size of a lot by the venue's symbol, by account: what is held is told in decimals.
    """

    def __init__(
        self,
        state: StateDir,
        table: WatchdogTable,
        accounts: Mapping[str, Orphans],
        owners: Owners,
        *,
        lot_sizes: Mapping[str, Mapping[str, Decimal]],
    ) -> None:
        self._lot_sizes = lot_sizes
        self._state, self._table, self._accounts, self._owners = state, table, accounts, owners
        self._pulse = Pulse(table.silent_ms * 1_000_000, table.start_ms * 1_000_000)
        self._eyes = Eyes(state)
        self._alarms = Alarms(state.account, table.command, table.command_timeout_ms / 1e3)
        self._process_start = process_start(os.getpid())
        self._beating: Call[None] | None = None
        self._beat_ns = self._check_ns = self._asked_ns = 0
        self._ending: dict[str, asyncio.Task[None]] = {}
        self._checking: dict[str, asyncio.Task[None]] = {}
        self._told: dict[str, OrphanStatus] = {}
        self._trouble_ns: dict[str, int] = {}
        self.standing = Standing.NONE

    @property
    def is_done(self) -> bool:
        """Whether no order of an engine that is gone is open at any account."""
        return all(orphans.status.is_done for orphans in self._accounts.values())

    async def prove(self) -> None:
        """Ask every venue once, so that what is wrong with a key is known before it is needed.

        Raises
        ------
        ConfigError
            When a key cannot be used, or nothing tells whose an order is.
        """
        self._check_ns = time.monotonic_ns()
        for name, orphans in self._accounts.items():
            await orphans.look()
            self._follow_account(name)

    async def watch(self, until: asyncio.Event) -> None:
        """Watch until told to end."""
        while not until.is_set():
            await self._look_once()
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await until.wait()
            except TimeoutError:
                continue

    async def once(self, seconds_max: float) -> Standing:
        """Look at the engine, end what one that is gone has left, and return what it was taken for.

        That takes at most `seconds_max` after that was known; `is_done` then says whether nothing is open.
        """
        await self._look_once()
        while self.standing is Standing.RUNNING and not self._pulse.has_sign:
            await asyncio.sleep(POLL_SECONDS)
            await self._look_once()
        found, deadline = self.standing, time.monotonic() + seconds_max
        while self.standing.is_gone and not self.is_done and time.monotonic() < deadline:
            await asyncio.sleep(POLL_SECONDS)
            await self._look_once()
        return found

    async def aclose(self, *, alarm_seconds_max: float) -> None:
        """Leave word that nobody watches any more, hand on the last alarms and let go of everything."""
        tasks = [*self._ending.values(), *self._checking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._leave_word()
        await self._eyes.aclose()
        for orphans in self._accounts.values():
            await orphans.aclose()
        await self._alarms.aclose(alarm_seconds_max)

    async def _leave_word(self) -> None:
        """Write the last heartbeat, after the one that is being written; no disk is waited for."""
        with suppress(TradecoreError, OSError):
            if self._beating is not None:
                await self._beating.result_async(RETRY_SECONDS)
        self._begin_beat(has_ended=True)
        with suppress(TradecoreError, OSError):
            if self._beating is not None:
                await self._beating.result_async(RETRY_SECONDS)

    async def _look_once(self) -> None:
        now_ns = time.monotonic_ns()
        asks = self._asks(self._pulse.silence_ns(now_ns), now_ns)
        sight = await self._eyes.look(self._pulse.last_beat, asks=asks)
        self._owners.learn(sight.beat.order_names if sight.beat is not None else {})
        now_ns = time.monotonic_ns()
        self._follow(self._pulse.feel(sight, now_ns))
        self._keep_beating(now_ns)
        self._keep_checking(now_ns)

    def _asks(self, silence_ns: int, now_ns: int) -> bool:
        """Tell whether to ask the engine itself: when its files have said nothing new for a while."""
        if silence_ns and silence_ns < self._table.silent_ms * 1_000_000 // 3:
            return False
        if self.standing is Standing.STARTING and now_ns - self._asked_ns < ASK_START_SECONDS * 1e9:
            return False
        self._asked_ns = now_ns
        return True

    def _follow(self, standing: Standing) -> None:
        """Act on what the engine is taken for."""
        was, self.standing = self.standing, standing
        if standing.is_gone:
            if standing is not was:
                silence = span_text(self._pulse.silence_ns(time.monotonic_ns()))
                words = _GONE[standing].format(account=self._state.account, silence=silence)
                self._alarms.tell("engine_gone", f"{words}. Its open orders are being ended")
            self._begin_to_end()
        elif was.is_gone:
            for task in self._ending.values():
                task.cancel()
            self._ending.clear()
            words = _BACK[standing].format(account=self._state.account)
            self._alarms.tell("engine_back", words, is_good=True)

    def _begin_to_end(self) -> None:
        for name, orphans in self._accounts.items():
            if name in self._ending and not self._ending[name].done():
                continue
            if (checking := self._checking.pop(name, None)) is not None:
                checking.cancel()
            self._told.pop(name, None)
            self._trouble_ns.pop(name, None)
            self._ending[name] = asyncio.create_task(
                self._end(name, orphans, checking), name=f"orders of {name}"
            )

    async def _end(self, name: str, orphans: Orphans, before: asyncio.Task[None] | None) -> None:
        """End the orders of one account; what goes wrong on this side is told, and tried again."""
        if before is not None:
            await asyncio.gather(before, return_exceptions=True)
        while True:
            try:
                await orphans.end_all(lambda: self.standing.is_gone, lambda: self._follow_account(name))
            except (TradecoreError, OSError) as error:
                self._alarms.tell("watchdog_trouble", f"orders at {name} cannot be ended: {error}")
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    def _follow_account(self, name: str) -> None:
        """Tell what is new about an account."""
        status = self._accounts[name].status
        was = self._told.get(name, OrphanStatus())
        self._told[name] = status
        where = f"the venue of {name}"
        if status.trouble:
            now_ns = time.monotonic_ns()
            told_ns = self._trouble_ns.get(name)
            if told_ns is None or now_ns - told_ns >= TROUBLE_SECONDS * 1e9:
                self._trouble_ns[name] = now_ns
                self._alarms.tell("venue_trouble", f"{where}: {status.trouble}; it is tried again")
        elif name in self._trouble_ns:
            del self._trouble_ns[name]
            self._alarms.tell("venue_back", f"{where} answers again", is_good=True)
        if not self.standing.is_gone:
            return
        if status.open_orders and was.open_orders is None:
            self._alarms.tell(
                "orders_open", f"{where}: {_orders(status.open_orders)} open; they are being ended"
            )
        if status.is_done and not was.is_done:
            self._alarms.tell("orders_ended", f"{where}: {self._outcome(name)}", is_good=True)

    def _keep_checking(self, now_ns: int) -> None:
        """Ask the venues from time to time while all is well, to know that it could be done."""
        if self.standing.is_gone or now_ns - self._check_ns < self._table.check_ms * 1_000_000:
            return
        self._check_ns = now_ns
        for name, orphans in self._accounts.items():
            if name not in self._checking or self._checking[name].done():
                self._checking[name] = asyncio.create_task(self._check(name, orphans), name=f"look at {name}")

    async def _check(self, name: str, orphans: Orphans) -> None:
        try:
            await orphans.look()
        except (ConfigError, StorageError) as error:
            self._alarms.tell("watchdog_trouble", f"orders at {name} could not be ended: {error}")
        else:
            self._follow_account(name)

    def _keep_beating(self, now_ns: int) -> None:
        """Leave a sign of life, without waiting for the disk."""
        if now_ns - self._beat_ns >= BEAT_SECONDS * 1e9:
            self._beat_ns = now_ns
            self._begin_beat()

    def _begin_beat(self, *, has_ended: bool = False) -> None:
        if self._beating is not None and not self._beating.is_done:
            return
        beat = WatchdogBeat(
            pid=os.getpid(),
            process_start=self._process_start,
            time_ns=time.time_ns(),
            standing=self.standing.value,
            words=self._words(),
            has_ended=has_ended,
        )
        self._beating = Call(lambda: beat.write(self._state), str(self._state.watchdog))

    def _words(self) -> str:
        """Say in a line what is going on, for `status`."""
        parts = []
        for name, orphans in self._accounts.items():
            status = orphans.status
            if self.standing.is_gone and status.is_done:
                parts.append(f"{name}: {self._outcome(name)}")
            elif self.standing.is_gone:
                count = "its orders are" if status.open_orders is None else _orders(status.open_orders)
                parts.append(f"{name}: {count} being ended")
            if status.trouble:
                parts.append(f"{name}: {status.trouble}")
        return "; ".join(parts)

    def _outcome(self, name: str) -> str:
        status = self._accounts[name].status
        held = held_words(status.positions, self._lot_sizes.get(name, {}))
        others = f"; {status.left_alone} of others were left alone" if status.left_alone else ""
        asked = f"{status.asked} cancels were sent" if status.asked != 1 else "1 cancel was sent"
        return f"no order of the engine is open ({asked}){others}; positions there: {held}"


def _orders(count: int) -> str:
    return "1 order is" if count == 1 else f"{count} orders are"
