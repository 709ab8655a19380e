"""The report of a start in live mode: exactly what was found and dropped, and nobody can change it."""

import msgspec
import pytest

from support.live_session import ready, running
from support.scripted_venue import ScriptedVenue
from tradecore.domain.journal import JournalFolder
from tradecore.domain.secret import Secret
from tradecore.domain.venue_findings import NotUnderstood
from tradecore.runtime.live.client_ids import ClientIds
from tradecore.runtime.live.start_report import ReportKey, SignedReport, StartReport, facts_of

KEY = ReportKey.of("k1", Secret("canary"))


@pytest.fixture
def path(tmp_path):
    """Return the place of the journal."""
    return tmp_path / "live.journal"


async def report_of(path, venue):
    """Start once more, and return the report of that start."""
    async with running(path, venue) as live:
        await live.until(lambda: live.session.outside.found_at_start is not None)
        found = live.session.outside.found_at_start
    return StartReport(
        account="main",
        journal=str(path),
        journal_first=JournalFolder(path).first_hash(),
        version="test",
        written_ns=1,
        **{name: getattr(found, name) for name in found.__struct_fields__},
    )


async def left_behind(path, script, then):
    """Let an engine send three orders and die; `then` happens at the venue while nobody looks."""
    venue = ScriptedVenue(script)
    async with running(path, venue, is_killed=True) as live:
        await ready(live)
        venue.is_silent, venue.answers_questions = True, False
        for count in (1, 2, 3):
            live.feed.trade()
            await live.until(lambda count=count: len(venue.submitted) == count)
        await live.until(lambda: "pending_new" not in live.states().values())
    then(venue)
    venue.is_silent, venue.answers_questions = False, True
    return venue


async def test_what_was_lost_before_the_venue_is_named_and_what_arrived_is_not(path):
    """Of three requests one never arrived, one arrived without an answer and filled, one is as it was."""

    def then(venue):
        names = [*venue.orders]
        venue.fill(names[-1], 4)

    venue = await left_behind(path, ["ok", "before", "after"], then)
    report = await report_of(path, venue)
    assert report.facts.open_orders == 3
    became = {each.order_id: each.became for each in report.facts.doubts}
    assert set(became) == {2, 3}
    # The proof may need longer than the comparison of the positions.
    said = {
        "rejected (never_arrived)": "order 2 never arrived at the venue, and was not sent again",
        "": "order 2 is still in doubt",
    }
    assert report.dropped() == [said[became[2]]]
    (fill,) = report.facts.fills
    assert (fill.order_id, fill.trade_id, fill.lots) == (3, "T1", 4)


async def test_a_start_that_kept_all_says_that_nothing_was_dropped(path):
    """And one after it, which has nothing to find, has no fills and no doubts."""
    venue = await left_behind(path, [], lambda venue: venue.end(next(iter(venue.orders))))
    first, second = await report_of(path, venue), await report_of(path, venue)
    assert first.dropped() == second.dropped() == []
    assert first.facts.ends == ("order 1: canceled (requested)",)
    assert (second.facts.ends, second.facts.fills, second.facts.doubts) == ((), (), ())


async def test_orders_that_no_engine_looks_after_and_messages_without_sense_are_dropped(path):
    """Those of a journal before; orders of other programs are not ours to keep."""

    def then(venue):
        order = next(iter(venue.orders.values()))
        for name in (ClientIds(0, "before").of(1), "web"):
            venue.orders[name] = msgspec.structs.replace(order, client_order_id=name, venue_order_id=name[:3])

    venue = await left_behind(path, [], then)
    async with running(path, venue) as live:
        await live.until(lambda: live.session.outside.found_at_start is not None)
        venue.tell(NotUnderstood(text="?", why="no sense"))
        await live.until(lambda: live.session.outside.status.letters == 1)
        found = live.session.outside.found_at_start
    assert (len(found.foreign_orders), len(found.left_orders)) == (1, 1)
    assert found.letters == ("no sense: ?",)
    assert live.session.outside.take_letters() == [NotUnderstood(text="?", why="no sense")]
    assert live.session.outside.take_letters() == []


async def test_a_report_is_held_against_its_signature_and_the_journal(path):
    """A changed word, another key, another journal, or a journal that says otherwise is told."""
    venue = await left_behind(path, ["ok", "before"], lambda venue: None)
    report, folder = await report_of(path, venue), JournalFolder(path)
    signed = SignedReport.of(report, KEY)
    assert signed.problems(KEY, folder) == []
    assert msgspec.json.decode(msgspec.json.encode(signed), type=SignedReport) == signed
    assert "canary" not in repr(KEY)
    assert "canary" not in KEY.secret.reveal()

    changed = msgspec.structs.replace(report, left_orders=("order 9",))
    (problem,) = msgspec.structs.replace(signed, report=changed).problems(KEY, folder)
    assert "changed after it was written" in problem
    (problem,) = signed.problems(ReportKey.of("k2", Secret("canary")), folder)
    assert "signed with the key 'k1'" in problem
    (problem,) = signed.problems(ReportKey.of("k1", Secret("other")), folder)
    assert "signature is wrong" in problem
    fewer = msgspec.structs.replace(report, facts=msgspec.structs.replace(report.facts, doubts=()))
    (problem,) = SignedReport.of(fewer, KEY).problems(KEY, folder)
    assert "says otherwise" in problem
    other = msgspec.structs.replace(report, journal_first="0" * 64)
    (problem,) = SignedReport.of(other, KEY).problems(KEY, folder)
    assert "is another journal" in problem


@pytest.mark.parametrize("seed", range(6))
async def test_the_journal_says_the_same_as_the_engine_that_started(tmp_path, seed):
    """Whatever happened before: the report can be made again from the records alone."""
    fates = [["after", "before", "ok", "refuse"][(seed + count) % 4] for count in range(3)]
    path = tmp_path / "live.journal"
    venue = await left_behind(path, fates, lambda venue: None)
    for _ in range(2):
        report = await report_of(path, venue)
        assert facts_of(JournalFolder(path), report.facts.from_seq) == report.facts
        for name in [*venue.orders][:1]:
            if venue.orders[name].open_lots > 1:
                venue.fill(name, 1)
    assert facts_of(JournalFolder(path), report.facts.from_seq - 1) is None
