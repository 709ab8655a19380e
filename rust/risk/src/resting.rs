//! The account's own limit orders in the market: what an order of ours must not trade with.

use tradecore_types::{Decimal, InstrumentId, OrderId, OrderIntent, OrderKind, Side, ValueError};

tradecore_types::coded! {
    /// What to do about an order that would trade with another one of the account. A command names it by its code.
    #[derive(Default, serde::Serialize, serde::Deserialize)]
    pub enum SelfTrade {
        /// Let it go.
        #[default]
        Allow = 0, "allow";
        /// Refuse the newer order; one that only closes withdraws the older ones instead.
        Block = 1, "block";
        /// Cancel the older orders first, then send the newer one.
        CancelOldest = 2, "cancel_oldest";
    }
}

impl SelfTrade {
    /// Reads the number by which a command names it; without one it is off.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when no choice has this number.
    pub fn of_setting(value: Option<Decimal>) -> Result<Self, ValueError> {
        let Some(value) = value else { return Ok(Self::Allow) };
        let code = if value.decimals == 0 { u8::try_from(value.mantissa).ok() } else { None };
        code.and_then(Self::from_code)
            .ok_or_else(|| ValueError::new("self_trade", value, "must be 0, 1 or 2"))
    }
}

/// One limit order that is open in any way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Resting {
    pub(crate) order_id: OrderId,
    pub(crate) side: Side,
    /// Price as the venue last confirmed it.
    pub(crate) price_ticks: i64,
    /// Price of an amendment on its way.
    pub(crate) amended_ticks: Option<i64>,
    /// A cancel is on its way, ahead of whatever is sent now.
    pub(crate) is_leaving: bool,
}

impl Resting {
    /// Returns its price if an order of the other side at this limit (`None`: any price) could meet it.
    fn met_by(&self, side: Side, limit_ticks: Option<i64>) -> Option<i64> {
        if self.side == side || self.is_leaving {
            return None;
        }
        let meets = |ticks: &i64| match side {
            _ if limit_ticks.is_none() => true,
            Side::Buy => limit_ticks.is_some_and(|limit| limit >= *ticks),
            Side::Sell => limit_ticks.is_some_and(|limit| limit <= *ticks),
        };
        [Some(self.price_ticks), self.amended_ticks].into_iter().flatten().find(meets)
    }
}

/// The own limit orders of every instrument. A look takes time by the own orders of one instrument.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct RestingOrders {
    by_instrument: Vec<Vec<Resting>>,
}

impl RestingOrders {
    /// Makes room for these instruments.
    pub(crate) fn new(instruments: usize) -> Self {
        Self { by_instrument: vec![Vec::new(); instruments] }
    }

    /// Puts an order in, in the place of what was known of it.
    pub(crate) fn put(&mut self, instrument: InstrumentId, order: Resting) {
        let Some(orders) = self.by_instrument.get_mut(instrument.index()) else { return };
        match orders.iter_mut().find(|known| known.order_id == order.order_id) {
            Some(known) => *known = order,
            None => orders.push(order),
        }
    }

    /// Takes an order out.
    pub(crate) fn remove(&mut self, instrument: InstrumentId, order_id: OrderId) {
        if let Some(orders) = self.by_instrument.get_mut(instrument.index()) {
            orders.retain(|known| known.order_id != order_id);
        }
    }

    /// Visits the orders that this one could trade with, oldest first, each with its price. A market order
    /// could meet any, one that waits for a price none: nobody knows the market in which it will be set off.
    pub(crate) fn met_by<'a>(&'a self, intent: &'a OrderIntent) -> impl Iterator<Item = (OrderId, i64)> + 'a {
        let (trades, limit_ticks) = match intent.kind {
            OrderKind::Market | OrderKind::MarketToLimit => (true, None),
            kind if kind.is_conditional() => (false, None),
            kind => (true, kind.limit_ticks()),
        };
        let orders = self.by_instrument.get(intent.instrument.index()).filter(|_| trades);
        let others = orders.into_iter().flatten().filter(|known| known.order_id != intent.order_id);
        others.filter_map(move |known| {
            known.met_by(intent.side, limit_ticks).map(|price_ticks| (known.order_id, price_ticks))
        })
    }
}
