"""A process of a virtual loop stands still as SIGSTOP lets it: nothing of it runs, and all else goes on."""

import asyncio

import pytest

from tradecore.proof.standing_still import StandingLoop, process_context

PROCESS = 1


@pytest.fixture
def loop():
    """A loop that is closed again."""
    made = StandingLoop()
    yield made
    made.close()


def test_what_is_due_while_it_stands_still_happens_once_it_goes_on(loop):
    """Timers of the process and answers to it wait, in their order; others go on at their times."""
    seen = []

    async def work(answer):
        asyncio.get_running_loop().call_later(1.0, seen.append, ("timer", 1.0))
        asyncio.get_running_loop().call_later(2.5, seen.append, ("timer", 2.5))
        await answer
        seen.append(("answer", loop.time()))
        # A task that it begins belongs to it, too.
        await asyncio.create_task(asyncio.sleep(0.5))
        seen.append(("after", loop.time()))

    async def main():
        answer = loop.create_future()
        task = loop.create_task(work(answer), context=process_context(PROCESS))
        await asyncio.sleep(0.1)
        loop.stop_process(PROCESS)
        await asyncio.sleep(1.4)
        seen.append(("other", loop.time()))
        answer.set_result(None)
        await asyncio.sleep(0.5)
        assert [what for what, _ in seen] == ["other"]
        loop.let_go_on()
        await task
        await asyncio.sleep(1.0)

    loop.run_until_complete(main())
    assert seen == [("other", 1.5), ("timer", 1.0), ("answer", 2.0), ("timer", 2.5), ("after", 2.5)]


def test_a_wait_that_is_called_off_as_it_goes_on_does_not_end_by_its_time(loop):
    """The answer came first: the time-out that was due meanwhile is over with the wait."""

    async def work(answer):
        async with asyncio.timeout(1.0):
            await answer
        return "answered"

    async def main():
        answer = loop.create_future()
        task = loop.create_task(work(answer), context=process_context(PROCESS))
        await asyncio.sleep(0.1)
        loop.stop_process(PROCESS)
        answer.set_result(None)
        await asyncio.sleep(5.0)
        loop.let_go_on()
        return await task

    assert loop.run_until_complete(main()) == "answered"


def test_another_process_and_one_that_runs_on_are_not_held_back(loop):
    """Who stands still is one process alone, and only until it goes on."""
    seen = []

    async def work(name):
        await asyncio.sleep(1.0)
        seen.append(name)

    async def main():
        tasks = [loop.create_task(work(name), context=process_context(name)) for name in (1, 2)]
        await asyncio.sleep(0.5)
        loop.stop_process(2)
        await asyncio.sleep(1.0)
        assert seen == [1]
        loop.let_go_on()
        loop.let_go_on()
        await asyncio.gather(*tasks)

    loop.run_until_complete(main())
    assert seen == [1, 2]
