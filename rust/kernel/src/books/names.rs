//! The venue's own names of orders: some venues know no other.
//!
//! **Invariant:** an open order keeps its name; those of orders that have ended are bounded, and the oldest goes first.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tradecore_ledger::Orders;
use tradecore_types::{AccountId, Adopted, OrderId};

/// Names that are remembered of orders that have ended: a venue tells of what is minutes old.
const NAMES_MAX: usize = 1 << 16;

/// Room that a queue gets at a time beyond its bound: for what stays of open orders.
const SPARE: usize = 1 << 12;

/// Makes a little room in a queue that is at its bound. One that doubles then goes through all of that memory.
pub(crate) fn reserve_little<T>(queue: &mut VecDeque<T>, bound: usize) {
    if queue.len() >= bound && queue.len() == queue.capacity() {
        queue.reserve_exact(SPARE);
    }
}

/// How a venue calls the orders of the books, and which of them others made.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Names {
    of_orders: BTreeMap<OrderId, Name>,
    oldest_first: VecDeque<OrderId>,
    /// Names of orders that others made, by account: two venues may have the same one.
    adopted: BTreeSet<(AccountId, Box<str>)>,
}

/// How an order is called.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Name {
    account: AccountId,
    venue: Box<str>,
    /// What whoever made it called it, when others did.
    client: Option<Box<str>>,
    is_adopted: bool,
    /// How it was called before it left anew: what is told of that later gives it no name.
    past: Vec<Box<str>>,
}

impl Names {
    /// Remembers how the venue calls an order; an amendment may give it another name.
    pub(crate) fn note(&mut self, order_id: OrderId, account: AccountId, venue: &str, orders: &Orders) {
        match self.of_orders.get_mut(&order_id) {
            Some(name) if *name.venue == *venue || name.past.iter().any(|past| **past == *venue) => {}
            Some(name) => name.venue = venue.into(),
            None => {
                let name =
                    Name { account, venue: venue.into(), client: None, is_adopted: false, past: Vec::new() };
                self.add(order_id, name, orders);
            }
        }
    }

    /// Remembers an order that others made.
    pub(crate) fn note_adopted(
        &mut self,
        order_id: OrderId,
        account: AccountId,
        found: &Adopted,
        orders: &Orders,
    ) {
        let Some(venue) = found.venue_order_id.clone() else { return };
        self.adopted.insert((account, venue.clone()));
        let client = found.client_order_id.clone();
        self.add(order_id, Name { account, venue, client, is_adopted: true, past: Vec::new() }, orders);
    }

    /// Remembers that an order leaves anew: the name that it has is one of before.
    pub(crate) fn note_renewed(&mut self, order_id: OrderId) {
        if let Some(name) = self.of_orders.get_mut(&order_id)
            && !name.past.contains(&name.venue)
        {
            name.past.push(name.venue.clone());
        }
    }

    fn add(&mut self, order_id: OrderId, name: Name, orders: &Orders) {
        self.of_orders.insert(order_id, name);
        reserve_little(&mut self.oldest_first, NAMES_MAX);
        self.oldest_first.push_back(order_id);
        // Two for one: so what open orders keep beyond the bound goes once they have ended.
        for _ in 0..2 {
            if self.oldest_first.len() > NAMES_MAX
                && let Some(order_id) = self.oldest_first.pop_front()
            {
                self.let_go(order_id, orders);
            }
        }
    }

    fn let_go(&mut self, order_id: OrderId, orders: &Orders) {
        if orders.get(order_id).is_some() {
            self.oldest_first.push_back(order_id);
        } else if let Some(name) = self.of_orders.remove(&order_id) {
            for venue in name.past.into_iter().chain([name.venue]) {
                self.adopted.remove(&(name.account, venue));
            }
        }
    }

    /// Tells whether an order of others, by its name at the venue of an account, is in the books.
    pub(crate) fn has_adopted(&self, account: AccountId, venue: &str) -> bool {
        self.adopted.contains(&(account, Box::from(venue)))
    }

    /// Tells whether others made an order.
    pub(crate) fn is_adopted(&self, order_id: OrderId) -> bool {
        !self.adopted.is_empty() && self.of_orders.get(&order_id).is_some_and(|name| name.is_adopted)
    }

    /// Visits what is remembered of an account: number, the venue's name, the name that others gave an order of theirs, and
    /// whether it is one. What an order was called before it left anew comes before what it is called.
    pub(crate) fn of(&self, account: AccountId) -> impl Iterator<Item = (OrderId, &str, Option<&str>, bool)> {
        let all = self.of_orders.iter().filter(move |(_, name)| name.account == account);
        all.flat_map(|(order_id, name)| {
            let names = name.past.iter().chain([&name.venue]);
            names.map(move |venue| (*order_id, &**venue, name.client.as_deref(), name.is_adopted))
        })
    }

    /// Appends the canonical bytes of what decides something: which orders others made.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for (order_id, name) in self.of_orders.iter().filter(|(_, name)| name.is_adopted) {
            out.extend_from_slice(&order_id.0.to_le_bytes());
            out.extend_from_slice(&name.venue.len().to_le_bytes());
            out.extend_from_slice(name.venue.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use tradecore_ledger::Orders;
    use tradecore_types::{AccountId, OrderId};

    use crate::books::names::{NAMES_MAX, Names, SPARE};

    #[test]
    fn what_is_remembered_takes_no_more_memory_once_it_is_full() {
        let (mut names, orders) = (Names::default(), Orders::new(1, 1, 1, 1));
        for order_id in (1..).take(3 * NAMES_MAX) {
            names.note(OrderId(order_id), AccountId(0), "V", &orders);
        }
        assert_eq!((names.of_orders.len(), names.oldest_first.len()), (NAMES_MAX, NAMES_MAX));
        assert!(names.oldest_first.capacity() <= NAMES_MAX + SPARE, "{}", names.oldest_first.capacity());
    }
}
