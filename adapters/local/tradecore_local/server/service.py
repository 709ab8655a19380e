"""Serves one exchange, faults included, over whatever carries its messages: it has no sockets of its own."""

from collections.abc import Callable, Sequence

import msgspec

from tradecore.domain.errors import InvalidValueError
from tradecore.domain.unreadable import UNREADABLE
from tradecore.ports.clock import Clock
from tradecore.testkit.local_venue.access import Access, Denied, Right
from tradecore.testkit.local_venue.exchange import Crowd, LocalExchange
from tradecore.testkit.local_venue.faults import QUESTIONS, Faults, FaultScript
from tradecore.testkit.local_venue.settings import VenueSettings
from tradecore_local import wire
from tradecore_local.key import Key
from tradecore_local.server.desk import Asked, Reply, RequestDesk, route_of
from tradecore_local.server.effects import Effects
from tradecore_local.server.revisions import Revisions
from tradecore_local.server.streams import Listener, MarketStreams, PrivateStreams

_NO_REQUEST = Reply(
    status=400, headers={}, body=b'{"code":"no_such_request","words":"see docs/local-venue.md"}'
)
_NO_PATH = Reply(status=404, headers={}, body=b'{"code":"no_such_path","words":"see docs/local-venue.md"}')
NO_FAULTS = FaultScript()


class KeyGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A key, whose it is and what it is for."""

    key: Key
    account: str
    rights: frozenset[Right]


class VenueService:
    """One exchange as its clients know it.

    Parameters
    ----------
    settings : VenueSettings
        What the exchange is made of.
    keys : sequence of KeyGrant
        Who may do what.
    clock : Clock
        The venue's clock.
    script : FaultScript
        What is to go wrong; where one can only ask, what its `query_rules` say.
    heartbeat_seconds : float
        How often a stream without news says so.
    crowd : Crowd, optional
        Who trades in the markets in place of the agents that the settings name.

    Attributes
    ----------
    exchange : LocalExchange
        The exchange; its `truth` is what really happened.
    faults, query_faults : Faults
        What went wrong so far is in their `seen`: of the venue, and where one can only ask.
    """

    def __init__(
        self,
        settings: VenueSettings,
        keys: Sequence[KeyGrant],
        clock: Clock,
        *,
        script: FaultScript = NO_FAULTS,
        heartbeat_seconds: float = 1.0,
        crowd: Crowd | None = None,
    ) -> None:
        self.exchange = LocalExchange(settings, start_ns=clock.now_ns(), crowd=crowd)
        self.faults = Faults(script)
        self.query_faults = Faults(script.of_queries)
        self._clock = clock
        access = Access(validity_window_ns=settings.validity_window_ns, limits=settings.limits)
        for grant in keys:
            if grant.account not in self.exchange.accounts:
                raise InvalidValueError("account", grant.account, "must be an account of the venue")
            access.add(grant.key.key_id, grant.account, grant.rights)
        self._access = access
        self._desk = RequestDesk(
            self.exchange, access, {grant.key.key_id: grant.key.secret for grant in keys}
        )
        words = self._desk.words
        self._private = PrivateStreams(self.exchange, words, self.faults, heartbeat_seconds=heartbeat_seconds)
        self._public = MarketStreams(self.exchange, words, self.faults, heartbeat_seconds=heartbeat_seconds)
        self._revisions = Revisions(self.exchange, self.faults)
        self._effects = Effects(self._desk, self._private, self.faults, clock)
        self._query_effects = Effects(self._desk, self._private, self.query_faults, clock)
        self._decode = msgspec.json.Decoder(wire.SocketRequest).decode

    @property
    def has_revisions_due(self) -> bool:
        """Whether a trade is still to be told anew."""
        return self._revisions.has_due

    def end(self) -> None:
        """Let go of who waits for an answer that never comes."""
        self._effects.end()
        self._query_effects.end()

    def tick(self) -> None:
        """Let time pass until now: others trade, and readers see it."""
        now_ns = self._clock.now_ns()
        self.exchange.advance(now_ns)
        self._revisions.advance(now_ns)
        self._private.flush()
        self._public.publish()

    async def answer(
        self, asked: Asked, is_gone: Callable[[], bool], *, is_query: bool = False
    ) -> Reply | None:
        """Return the answer to a request; `None` where its connection breaks instead.

        Who only asks (`is_query`) can change nothing.
        """
        route = route_of(asked.method, asked.target.partition("?")[0])
        if is_query and (route is None or route.endpoint not in QUESTIONS):
            route = None
        if route is None:
            return _NO_PATH
        effects = self._query_effects if is_query else self._effects
        return await effects.answer(route, asked, is_gone)

    async def traded(self, data: str | bytes, is_gone: Callable[[], bool]) -> bytes | None:
        """Return the answer to a message of a line that trades; `None` where the connection breaks."""
        try:
            said = self._decode(data)
        except UNREADABLE:
            return _line_answer(0, _NO_REQUEST)
        asked = Asked(method=said.method, target=said.target, headers=said.headers, body=bytes(said.body))
        route = route_of(said.method, said.target) if said.target == "/orders" else None
        if route is None or said.method == "GET":
            return _line_answer(said.id, _NO_REQUEST)
        reply = await self._effects.answer(route, asked, is_gone)
        return None if reply is None else _line_answer(said.id, reply)

    def let_in(self, asked: Asked) -> str | Reply:
        """Return whose private stream a request may read, or the answer to who is not let in."""
        key_id = self._desk.let_in(asked, Right.QUERY, self._clock.now_ns())
        if isinstance(key_id, Denied):
            return self._desk.denied(key_id)
        return self._access.account(key_id) or ""

    async def tell(self, line: Listener, account: str) -> None:
        """Tell a reader what happens to an account, until the line ends."""
        await self._private.serve(line, account)

    async def show(self, line: Listener) -> None:
        """Show a reader the markets, until the line ends."""
        await self._public.serve(line)


def _line_answer(number: int, reply: Reply) -> bytes:
    """Return a message that answers the request of a number."""
    if reply.is_page:
        return reply.body
    body = msgspec.Raw(reply.body)
    answer = wire.SocketAnswer(id=number, status=reply.status, headers=reply.headers, body=body)
    data = msgspec.json.encode(answer)
    return data[: len(data) // 2] if reply.is_cut else data
