"""What waits for a notifier: no more than so many groups, the newest of them."""

from tradecore.runtime.frames import FrameScan
from tradecore.runtime.notice_queue import GROUPS_MAX, NoticeQueue

GROUP = FrameScan(engine=b"", effects=b"", effect_offsets=(0, 1), notes=(), frames=2, market_events=0)


class Told:
    """A notifier that notes the groups it is told."""

    def __init__(self):
        self.seqs = []

    async def notify(self, told, /):
        """Note them."""
        self.seqs.append(told)

    async def aclose(self):
        """Have nothing to let go of."""


class Numbered(FrameScan, frozen=True, kw_only=True):
    """A group whose records are the number of its first frame."""

    def records(self, first_seq):
        """Return that number."""
        return first_seq


async def test_a_notifier_that_is_too_slow_is_told_the_newest_groups_and_the_rest_is_counted():
    """Memory does not grow with what nobody takes; the journal has it all."""
    told = Told()
    queue = NoticeQueue(told)
    group = Numbered(**{name: getattr(GROUP, name) for name in GROUP.__struct_fields__})
    for number in range(GROUPS_MAX + 5):
        queue.put(number, group)
    assert queue.dropped == 5 * len(group.effect_offsets)
    await queue.flush()
    assert told.seqs == list(range(5, GROUPS_MAX + 5))
