//! Which version of behaviour this engine has, and what each version changed.

/// Version of what the engine makes of its events; a session writes it into its journal.
///
/// The same events give the same frames within one version, byte for byte. A journal of another version
/// is verified, read and projected, but a start cannot go on with it: its orders would come out otherwise.
/// Whoever changes a fill, an order of events, an answer of risk or a frame raises it, and says here what
/// has changed:
///
/// 1. Journals that name no version: everything before this number was written down.
/// 2. Fills: what appears at an instant starts with that instant's price, all orders of a bar follow one
///    path, a bar is an interval and day orders live on sessions, maker and taker go by what happened, and
///    exits are tried until the position is flat. Decision gates judge amendments too. A share of buying power
///    states its size in a `sized` record. Of one moment, bars that close come before bars that open.
/// 3. Inside a bar the margin is looked at along its path, step by step of its brackets, not at its worse end; a
///    liquidation takes its orders back at once, also those on their way. `close()` sends what orders on their
///    way, and stops that were set off, do not close already. A `fok` order that turns a position fills whole
///    or not at all, by the profit of its own strategy. Prices and sizes off the grid, and those that are no
///    numbers, are refusals in the journal. Bars built from trades or quotes follow the sessions of their
///    instrument.
/// 4. What leaves for the venue has a `sent` record of its own, written when it is sent; `order` says that risk
///    approved it. In shadow a cancel or an amendment goes nowhere; before, the simulated venue answered it. An
///    order that ended while it was held cannot be cancelled or amended any more, from that moment on, and no close or
///    halt counts on it. Loss limits count from all that an account begins with: what it has of a currency that a
///    constant converts, or that has a price later, is no gain and no fall from one.
/// 5. A flatten that a venue outside refuses with nothing in its way waits a second after its second try, or until
///    there is another amount to close. What an order in doubt turns out to have opened is closed by a flatten also where all
///    else was flat before that was told. The value of an order in a canary profile counts what it has traded.
///    A yes that comes while books and venue are compared, or the past is fed, leaves its wish waiting.
///    A market-to-limit order that has not traded closes at once as a market order does: a market order that closes,
///    and `close()`, leave out what it closes.
///    At a venue outside that amends orders, a fill of all that is open leaves an order open while an amendment to more is
///    under way: it may have been made before. Refused, the order ends as filled; before, it had ended, and what filled of
///    it then was beyond it.
///    A trade is remembered for as long as its order is; before, one of an order that had ended was booked again when its
///    venue told it once more after 65,536 others.
///    A trade that is first heard of as corrected fills no more of its order than its venue says has filled of that, where it
///    says so. A fill of more than was open is one fill, and its order is as large as that; before, it was split in two.
pub const BEHAVIOUR_VERSION: u32 = 5;
