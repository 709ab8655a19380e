//! Exits of brackets where the venue knows no brackets: armed on fill, resized with their entry.

use tradecore_ledger::Reduction;
use tradecore_types::{Bracket, CancelReason, OrderId, OrderIntent, OrderKind, Size, TimeInForce};

use crate::{Kernel, KernelError};

/// The exits of one entry order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Exits {
    entry: OrderId,
    /// Set once the entry is closed and the exits are sent.
    stop_loss: Option<OrderId>,
    take_profit: Option<OrderId>,
}

/// Entries with exits to arm or to follow, in the order of their numbers.
#[derive(Debug, Default)]
pub(crate) struct Brackets {
    entries: Vec<Exits>,
    /// Reductions of the fill being handled.
    reductions: Vec<Reduction>,
}

impl Brackets {
    /// Tells whether no entry has exits.
    pub(crate) const fn is_off(&self) -> bool {
        self.entries.is_empty()
    }

    /// Notes that an entry with exits has opened a lot.
    pub(crate) fn note_entry(&mut self, entry: OrderId) {
        if let Err(place) = self.entries.binary_search_by_key(&entry, |exits| exits.entry) {
            self.entries.insert(place, Exits { entry, stop_loss: None, take_profit: None });
        }
    }

    /// Notes the lots that a fill closed.
    pub(crate) fn note_reductions(&mut self, reductions: &[Reduction]) {
        if !self.entries.is_empty() {
            self.reductions.extend_from_slice(reductions);
        }
    }

    fn get(&self, entry: OrderId) -> Option<Exits> {
        let place = self.entries.binary_search_by_key(&entry, |exits| exits.entry).ok()?;
        self.entries.get(place).copied()
    }

    fn set(&mut self, exits: Exits) {
        if let Ok(place) = self.entries.binary_search_by_key(&exits.entry, |known| known.entry)
            && let Some(slot) = self.entries.get_mut(place)
        {
            *slot = exits;
        }
    }

    fn remove(&mut self, entry: OrderId) {
        if let Ok(place) = self.entries.binary_search_by_key(&entry, |exits| exits.entry) {
            self.entries.remove(place);
        }
    }

    /// Appends the canonical bytes of the state.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for exits in &self.entries {
            for id in [Some(exits.entry), exits.stop_loss, exits.take_profit] {
                out.extend_from_slice(&id.map_or(0, |id| id.0).to_le_bytes());
            }
        }
    }
}

impl Kernel {
    /// Arms, resizes or withdraws exits after a report about an order.
    pub(crate) fn follow_brackets(
        &mut self,
        intent: &OrderIntent,
        is_closed: bool,
    ) -> Result<(), KernelError> {
        if self.brackets.is_off() {
            return Ok(());
        }
        let reductions = std::mem::take(&mut self.brackets.reductions);
        for reduction in &reductions {
            self.resize_exits(reduction.entry_order, reduction.remaining_lots);
        }
        self.brackets.reductions = reductions;
        self.brackets.reductions.clear();
        let is_unarmed = self
            .brackets
            .get(intent.order_id)
            .is_some_and(|exits| exits.stop_loss.is_none() && exits.take_profit.is_none());
        if is_closed && is_unarmed && self.arms_brackets(intent.instrument) {
            self.arm_exits(intent)?;
        }
        Ok(())
    }

    /// Sends the exits of an entry that is closed and has opened lots.
    fn arm_exits(&mut self, entry: &OrderIntent) -> Result<(), KernelError> {
        let lots = self.ledger.lots_of_entry(entry.strategy, entry.instrument, entry.order_id).abs();
        // A killed engine sends nothing, and it has cancelled every other exit.
        if lots == 0 || self.switches.is_killed {
            self.brackets.remove(entry.order_id);
            return Ok(());
        }
        let Bracket { stop_loss_ticks, take_profit_ticks } = entry.bracket;
        let stop = stop_loss_ticks.map(|trigger_ticks| OrderKind::Stop { trigger_ticks });
        let take = take_profit_ticks.map(|price_ticks| OrderKind::Limit { price_ticks });
        let stop_loss = self.send_exit(entry, stop, lots)?;
        let take_profit = self.send_exit(entry, take, lots)?;
        self.brackets.set(Exits { entry: entry.order_id, stop_loss, take_profit });
        Ok(())
    }

    fn send_exit(
        &mut self,
        entry: &OrderIntent,
        kind: Option<OrderKind>,
        lots: i64,
    ) -> Result<Option<OrderId>, KernelError> {
        let Some(kind) = kind else { return Ok(None) };
        let exit = OrderIntent {
            order_id: self.next_order_id(),
            side: entry.side.opposite(),
            kind,
            time_in_force: TimeInForce::Gtc,
            post_only: false,
            reduce_only: true,
            size: Size::Lots(lots),
            bracket: Bracket::default(),
            closes: Some(entry.order_id),
            time_ns: self.now_ns,
            ..*entry
        };
        let market = self.market(entry.instrument)?;
        let reference_ticks = market.reference.map_or(0, |known| known.0);
        match market.gate.approve_exit(entry, exit) {
            Some(order) => {
                self.send(&order, reference_ticks)?;
                Ok(Some(exit.order_id))
            }
            None => Err(KernelError::Broken("an exit that does not belong to its entry".into())),
        }
    }

    /// Fits the exits of an entry to what is left of it.
    fn resize_exits(&mut self, entry: OrderId, remaining_lots: i64) {
        let Some(exits) = self.brackets.get(entry) else { return };
        for order_id in [exits.stop_loss, exits.take_profit].into_iter().flatten() {
            let Some(order) = self.orders.get(order_id).copied() else { continue };
            let left = remaining_lots.abs();
            if left == 0 {
                self.request_cancel(order_id, CancelReason::Linked);
            } else if order.open_lots() > left
                && let Some(price_ticks) = order.price_ticks
            {
                self.request_replace(order_id, price_ticks, left);
            }
        }
        if remaining_lots == 0 {
            self.brackets.remove(entry);
        }
    }
}
