//! A slow, plain model of orders that depend on each other: engine, venue and the way between, in lists.

use std::collections::BTreeMap;

pub const BUY_AT: i64 = 95;
pub const STOP_AT: i64 = 90;
pub const TAKE_AT: i64 = 120;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Limit(i64),
    Stop(i64),
    Market,
}

/// An order as the engine knows it.
#[derive(Clone, Debug)]
pub struct Order {
    pub id: u64,
    is_buy: bool,
    kind: Kind,
    /// Entry whose lots it closes first.
    closes: Option<u64>,
    is_reduce_only: bool,
    pub open: i64,
    pub filled: i64,
    /// By how much each amendment that is not answered lets it grow, the oldest first; the size asked for last.
    growths: Vec<i64>,
    asked: i64,
    is_leaving: bool,
    /// It has ended before any venue saw it, which its report is yet to say.
    is_dropped: bool,
}

impl Order {
    fn last_asked(&self) -> i64 {
        if self.growths.is_empty() { self.open } else { self.asked }
    }

    pub fn meant(&self) -> i64 {
        if self.is_leaving { 0 } else { self.last_asked() }
    }

    const fn can_change(&self) -> bool {
        !self.is_leaving && !self.is_dropped
    }
}

/// A line of orders that follows the fills of an entry.
#[derive(Clone, Debug)]
struct Line {
    entry: u64,
    order: Option<u64>,
    is_held: bool,
    is_buy: bool,
    kind: Kind,
    group: Option<u64>,
    waiting: i64,
    due: i64,
    is_given_up: bool,
    entry_is_over: bool,
}

impl Line {
    fn take_back(&mut self, lots: i64) {
        if !self.entry_is_over {
            self.waiting += lots;
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Request {
    Submit(u64, i64),
    Cancel(u64),
    /// New open size, and what was known to be filled.
    Replace(u64, i64, i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Fill(i64),
    Gone,
    Expired,
    Replaced(i64),
}

/// An order as the venue knows it.
#[derive(Clone, Debug)]
struct Resting {
    id: u64,
    is_buy: bool,
    kind: Kind,
    open: i64,
}

#[derive(Clone, Copy, Debug)]
enum Why {
    Sibling,
    Other,
    Reduction,
}

/// Everything, in lists.
#[derive(Default)]
pub struct Model {
    pub now: i64,
    order_latency: i64,
    report_latency: i64,
    pub last_id: u64,
    pub orders: Vec<Order>,
    lines: Vec<Line>,
    /// Numbers of groups of orders that cancel each other.
    groups: BTreeMap<u64, u64>,
    limits: Vec<(u64, i64, Why)>,
    due: Vec<u64>,
    /// Entry and signed lots, the one that is closed first in front; whether that is the newest.
    lots: Vec<(u64, i64)>,
    pub is_newest_first: bool,
    venue: Vec<Resting>,
    /// All that ever filled of an order at the venue.
    filled_there: BTreeMap<u64, i64>,
    last_price: Option<i64>,
    requests: Vec<(i64, Request)>,
    reports: Vec<(i64, u64, Said)>,
    pub expiries: Vec<(i64, u64)>,
    /// Orders whose time was up before they reached the venue.
    late: Vec<u64>,
}

impl Model {
    pub fn new(now: i64, order_latency: i64, report_latency: i64) -> Self {
        Self { now, order_latency, report_latency, ..Self::default() }
    }

    fn order(&mut self, id: u64) -> Option<&mut Order> {
        self.orders.iter_mut().find(|order| order.id == id)
    }

    fn line_of(&mut self, id: u64) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.order == Some(id))
    }

    fn left_of(&self, entry: u64) -> i64 {
        self.lots.iter().filter(|lot| lot.0 == entry).map(|lot| lot.1).sum::<i64>().abs()
    }

    pub fn position(&self) -> i64 {
        self.lots.iter().map(|lot| lot.1).sum()
    }

    fn ask(&mut self, request: Request) {
        let at = self.requests.last().map_or(0, |last| last.0).max(self.now + self.order_latency);
        self.requests.push((at, request));
    }

    fn say(&mut self, delay: i64, id: u64, said: Said) {
        let at = self.reports.last().map_or(0, |last| last.0).max(self.now + delay);
        self.reports.push((at, id, said));
    }

    fn open(&mut self, id: u64, is_buy: bool, kind: Kind, closes: Option<u64>, lots: i64) {
        self.last_id = id;
        let is_reduce_only = closes.is_some();
        self.orders.push(Order {
            id,
            is_buy,
            kind,
            closes,
            is_reduce_only,
            open: lots,
            filled: 0,
            growths: Vec::new(),
            asked: 0,
            is_leaving: false,
            is_dropped: false,
        });
    }

    pub fn send(&mut self, id: u64, is_buy: bool, kind: Kind, lots: i64) {
        self.open(id, is_buy, kind, None, lots);
        self.ask(Request::Submit(id, lots));
    }

    fn follow(&mut self, entry: u64, order: Option<u64>, is_buy: bool, kind: Kind, waiting: i64) {
        self.lines.push(Line {
            entry,
            order,
            is_held: order.is_some(),
            is_buy,
            kind,
            group: None,
            waiting,
            due: 0,
            is_given_up: false,
            entry_is_over: false,
        });
    }

    pub fn bracket(&mut self, entry: u64) {
        self.follow(entry, None, false, Kind::Stop(STOP_AT), 1 << 40);
        self.follow(entry, None, false, Kind::Limit(TAKE_AT), 1 << 40);
    }

    pub fn child(&mut self, id: u64, entry: u64, is_buy: bool, kind: Kind, lots: i64) {
        self.open(id, is_buy, kind, (!is_buy).then_some(entry), lots);
        self.follow(entry, Some(id), is_buy, kind, lots);
    }

    pub fn join(&mut self, first: u64, second: u64) {
        for id in [first, second] {
            self.groups.insert(id, first);
            self.line_of(id).unwrap().group = Some(first);
        }
    }

    pub fn cancel(&mut self, id: u64, is_linked: bool) {
        let Some(order) = self.order(id).filter(|order| order.can_change()) else { return };
        order.is_leaving = true;
        if let Some(line) = self.line_of(id) {
            line.is_given_up |= !is_linked;
            if line.is_held {
                return self.drop_held(id);
            }
        }
        self.ask(Request::Cancel(id));
    }

    /// Ends an order that no venue has seen.
    fn drop_held(&mut self, id: u64) {
        let line = self.line_of(id).unwrap();
        (line.is_held, line.is_given_up) = (false, true);
        self.order(id).unwrap().is_dropped = true;
        self.say(0, id, Said::Gone);
    }

    /// Asks for another size; `growth` lots of it are what its entry has granted.
    pub fn replace(&mut self, id: u64, lots: i64, growth: i64) {
        let Some(order) = self.order(id).filter(|order| order.can_change()) else { return };
        order.growths.push(growth);
        order.asked = lots;
        let filled = order.filled;
        self.ask(Request::Replace(id, lots, filled));
    }

    /// Lets everything happen that is due by a time.
    pub fn run_to(&mut self, time: i64) {
        loop {
            let report = self.reports.first().map_or(i64::MAX, |row| row.0);
            let expiry = self.expiries.iter().map(|row| row.0).min().unwrap_or(i64::MAX);
            let request = self.requests.first().map_or(i64::MAX, |row| row.0);
            let next = report.min(expiry).min(request);
            if next > time {
                break;
            }
            self.now = self.now.max(next);
            if report == next {
                let (_, id, said) = self.reports.remove(0);
                self.hear(id, said);
                if self.reports.first().is_none_or(|row| row.0 > self.now) {
                    self.settle();
                }
            } else if expiry == next {
                let place = self.expiries.iter().position(|row| row.0 == next).unwrap();
                let id = self.expiries.remove(place).1;
                self.expire(id);
            } else {
                self.arrive();
            }
        }
        self.now = time;
    }

    fn expire(&mut self, id: u64) {
        if let Some(place) = self.venue.iter().position(|order| order.id == id) {
            self.venue.remove(place);
            self.say(self.report_latency, id, Said::Expired);
        } else {
            self.late.push(id);
        }
    }

    fn arrive(&mut self) {
        let latency = self.report_latency;
        match self.requests.remove(0).1 {
            Request::Submit(id, lots) => {
                let order = self.orders.iter().find(|order| order.id == id).unwrap().clone();
                if self.late.contains(&id) {
                    return self.say(latency, id, Said::Expired);
                }
                self.say(latency, id, Said::Nothing);
                self.enter(Resting { id, is_buy: order.is_buy, kind: order.kind, open: lots });
            }
            Request::Cancel(id) => match self.venue.iter().position(|order| order.id == id) {
                Some(place) => {
                    self.venue.remove(place);
                    self.say(latency, id, Said::Gone);
                }
                None => self.say(latency, id, Said::Nothing),
            },
            Request::Replace(id, lots, known) => {
                let filled = self.filled_there.get(&id).copied().unwrap_or(0);
                let left = lots - (filled - known);
                match self.venue.iter().position(|order| order.id == id) {
                    None => self.say(latency, id, Said::Nothing),
                    Some(place) if left <= 0 => {
                        self.venue.remove(place);
                        self.say(latency, id, Said::Gone);
                    }
                    Some(place) => {
                        self.say(latency, id, Said::Replaced(left));
                        if left > self.venue[place].open {
                            let resting = self.venue.remove(place);
                            self.enter(Resting { open: left, ..resting });
                        } else {
                            self.venue[place].open = left;
                        }
                    }
                }
            }
        }
    }

    fn enter(&mut self, resting: Resting) {
        if resting.kind == Kind::Market {
            return self.fill(resting.id, resting.open);
        }
        self.venue.push(resting);
        self.set_off();
    }

    fn fill(&mut self, id: u64, lots: i64) {
        *self.filled_there.entry(id).or_insert(0) += lots;
        self.say(self.report_latency, id, Said::Fill(lots));
    }

    fn set_off(&mut self) {
        let Some(price) = self.last_price else { return };
        let is_hit = |order: &Resting| matches!(order.kind, Kind::Stop(at) if price <= at);
        while let Some(place) = self.venue.iter().position(is_hit) {
            let order = self.venue.remove(place);
            self.say(self.report_latency, order.id, Said::Nothing);
            self.fill(order.id, order.open);
        }
    }

    /// Others trade: below 100 they sell, else they buy.
    pub fn trade(&mut self, price: i64, lots: i64) {
        self.last_price = Some(price);
        let is_sell = price < 100;
        let mut left = lots;
        let mut reached: Vec<(i64, usize)> = Vec::new();
        for (place, order) in self.venue.iter().enumerate() {
            match order.kind {
                Kind::Limit(at) if order.is_buy && is_sell && at >= price => reached.push((-at, place)),
                Kind::Limit(at) if !order.is_buy && !is_sell && at <= price => reached.push((at, place)),
                _ => {}
            }
        }
        reached.sort_unstable();
        for (_, place) in reached {
            let filled = left.min(self.venue[place].open);
            if filled > 0 {
                left -= filled;
                self.venue[place].open -= filled;
                let id = self.venue[place].id;
                self.fill(id, filled);
            }
        }
        self.venue.retain(|order| order.open > 0);
        self.set_off();
    }

    /// Books a fill; returns what it opened, and what is left of every entry that it closed.
    fn book(&mut self, order: &Order, lots: i64) -> (i64, Vec<(u64, i64)>) {
        let sign = if order.is_buy { 1 } else { -1 };
        let mut left = lots;
        let mut closed = Vec::new();
        for named in [true, false] {
            for lot in &mut self.lots {
                if (order.closes == Some(lot.0)) == named && lot.1 * sign < 0 && left > 0 {
                    let part = left.min(lot.1.abs());
                    lot.1 += part * sign;
                    left -= part;
                    closed.push(lot.0);
                }
            }
        }
        self.lots.retain(|lot| lot.1 != 0);
        if left > 0 {
            self.lots.insert(if self.is_newest_first { 0 } else { self.lots.len() }, (order.id, left * sign));
        }
        (left, closed.into_iter().map(|entry| (entry, self.left_of(entry))).collect())
    }

    /// A report reaches the engine.
    fn hear(&mut self, id: u64, said: Said) {
        let Some(order) = self.order(id) else { return };
        let (mut filled, mut is_over) = (0, false);
        match said {
            Said::Nothing => {}
            Said::Fill(lots) => {
                order.open -= lots;
                order.filled += lots;
                order.asked = (order.asked - lots).max(0);
                (filled, is_over) = (lots, order.open == 0);
            }
            Said::Gone | Said::Expired => is_over = true,
            Said::Replaced(lots) => {
                order.open = lots;
                order.growths.remove(0);
            }
        }
        let order = order.clone();
        let (opened, closed) = if filled > 0 { self.book(&order, filled) } else { (0, Vec::new()) };
        self.note(&order, said, filled, opened, is_over);
        for (entry, left) in closed {
            let exits = self.lines.iter().filter(|line| line.entry == entry && !line.is_buy && !line.is_held);
            let ids: Vec<u64> = exits.filter_map(|line| line.order).collect();
            self.limits.extend(ids.into_iter().map(|id| (id, left, Why::Reduction)));
        }
        if order.is_reduce_only && opened > 0 {
            let id = self.last_id + 1;
            self.send(id, !order.is_buy, Kind::Market, opened);
            let back = self.order(id).unwrap();
            (back.is_reduce_only, back.closes) = (true, Some(order.id));
        }
    }

    fn note(&mut self, order: &Order, said: Said, filled: i64, opened: i64, is_over: bool) {
        let id = order.id;
        if is_over || filled > 0 {
            self.note_group(order, said, is_over);
        }
        if is_over {
            self.orders.retain(|known| known.id != id);
        }
        if self.lines.iter().any(|line| line.entry == id) && (filled > 0 || is_over) {
            self.due.push(id);
        }
        for line in self.lines.iter_mut().filter(|line| line.entry == id) {
            let granted = line.waiting.min(if line.is_buy { filled } else { opened });
            (line.waiting, line.due) = (line.waiting - granted, line.due + granted);
            for limit in self.limits.iter_mut().filter(|limit| Some(limit.0) == line.order) {
                limit.1 += i64::from(matches!(limit.2, Why::Sibling)) * granted;
                limit.1 += i64::from(matches!(limit.2, Why::Reduction)) * opened;
            }
            if is_over {
                (line.entry_is_over, line.waiting) = (true, 0);
            }
        }
    }

    fn note_group(&mut self, order: &Order, said: Said, is_over: bool) {
        let id = order.id;
        let mut own = self.lines.iter().position(|line| line.order == Some(id));
        if is_over && let Some(place) = own {
            let has_lines = self.lines.iter().any(|line| line.entry == id);
            let line = &mut self.lines[place];
            line.due += order.last_asked().min(order.growths.iter().sum());
            line.order = None;
            let ends = has_lines || line.is_given_up || said == Said::Expired;
            let entry = line.entry;
            if ends || (line.entry_is_over && line.due == 0) {
                self.lines.remove(place);
                own = None;
            } else if line.due > 0 {
                self.due.push(entry);
            }
        }
        let own = own.map(|place| self.lines[place].clone());
        let group = if is_over { self.groups.remove(&id) } else { self.groups.get(&id).copied() };
        let Some(group) = group else { return };
        if is_over && own.is_none() {
            for line in self.lines.iter_mut().filter(|line| line.group == Some(group)) {
                line.is_given_up = true;
            }
        }
        let left = own.as_ref().map_or(0, |line| line.due) + if is_over { 0 } else { order.last_asked() };
        let others: Vec<u64> = self
            .groups
            .iter()
            .filter(|(other, of)| **of == group && **other != id)
            .map(|row| *row.0)
            .collect();
        for other in others {
            let why = if own.is_some() { Why::Sibling } else { Why::Other };
            self.limits.push((other, left, why));
        }
    }

    fn settle(&mut self) {
        while !self.limits.is_empty() {
            let (id, lots, why) = self.limits.remove(0);
            self.limit(id, lots, why);
        }
        while !self.due.is_empty() {
            let entry = self.due.remove(0);
            // The lines of an entry, in the order they were made.
            let mut kept = 0;
            while let Some(place) =
                self.lines.iter().enumerate().filter(|row| row.1.entry == entry).map(|row| row.0).nth(kept)
            {
                let before = self.lines.len();
                self.arm(place);
                kept += usize::from(self.lines.len() >= before);
            }
        }
    }

    fn limit(&mut self, id: u64, lots: i64, why: Why) {
        let Some(order) = self.order(id).cloned() else { return };
        let is_cut = if lots == 0 { !order.is_leaving } else { order.meant() > lots };
        let Some(line) = self.line_of(id) else {
            if is_cut {
                self.cut(id, lots);
            }
            return;
        };
        let sent = if line.is_held { 0 } else { order.meant() };
        match why {
            Why::Reduction => line.take_back((sent - lots).max(0)),
            Why::Sibling | Why::Other => {
                let room = (lots - sent).max(0);
                line.due = line.due.min(room);
                if matches!(why, Why::Other) {
                    line.waiting = line.waiting.min(room - line.due);
                }
            }
        }
        if line.is_held {
            if line.is_given_up {
                self.cut(id, 0);
            }
            return;
        }
        if is_cut && lots == 0 && !line.is_given_up && !line.entry_is_over {
            line.order = None;
            self.groups.remove(&id);
        }
        if is_cut {
            self.cut(id, lots);
        }
    }

    fn cut(&mut self, id: u64, lots: i64) {
        if lots > 0 { self.replace(id, lots, 0) } else { self.cancel(id, true) }
    }

    fn arm(&mut self, place: usize) {
        let line = self.lines[place].clone();
        if line.due == 0 && !line.entry_is_over {
            return;
        }
        let room = if line.is_buy { i64::MAX } else { self.left_of(line.entry) };
        match line.order.and_then(|id| self.order(id).cloned()) {
            Some(order) if line.is_held => self.release(place, &order, line.due.min(room)),
            Some(order) if order.is_leaving => {}
            Some(order) => {
                let lots = (order.meant() + line.due).min(room);
                let more = (lots - order.meant()).max(0);
                self.lines[place].take_back(line.due - more);
                self.lines[place].due = 0;
                if more > 0 {
                    self.replace(order.id, lots, more);
                }
            }
            None => {
                let lots = line.due.min(room);
                self.lines[place].take_back(line.due - lots.max(0));
                self.lines[place].due = 0;
                if lots > 0 {
                    let id = self.last_id + 1;
                    self.open(id, line.is_buy, line.kind, (!line.is_buy).then_some(line.entry), lots);
                    self.ask(Request::Submit(id, lots));
                    self.lines[place].order = Some(id);
                    if let Some(group) = line.group {
                        self.groups.insert(id, group);
                    }
                } else if line.entry_is_over {
                    self.lines.remove(place);
                }
            }
        }
    }

    fn release(&mut self, place: usize, order: &Order, lots: i64) {
        let line = &mut self.lines[place];
        line.take_back(line.due - lots.max(0));
        line.due = 0;
        if lots > 0 {
            line.is_held = false;
            self.order(order.id).unwrap().open = order.open.min(lots);
            self.ask(Request::Submit(order.id, lots));
        } else if line.entry_is_over {
            self.drop_held(order.id);
        }
    }
}
