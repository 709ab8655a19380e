//! A venue outside in short words: what it says, and what came of it.

use tradecore_journal::{Frames, RecordBody, decode};
use tradecore_kernel::{Destination, KernelConfig, Matching};
use tradecore_ledger::OrderState;
use tradecore_types::{
    BookedRevision, Event, EventBatch, EventBody, InstrumentId, Liquidity, Money, OrderId, Report,
    ReportBody, Sent, Side, SurpriseKind, TradeRevision, Traded, VenueEvent, VenueReport,
};

use super::{ANNA, GOLD, Rig, config, limit, quotes};

pub fn outside() -> KernelConfig {
    KernelConfig { destination: Destination::Outside, ..config(Matching::Quotes) }
}

/// One message of the venue as a batch.
pub fn said(time_ns: i64, instrument: InstrumentId, said: VenueEvent) -> EventBatch {
    let event = Event { time_ns, instrument, body: EventBody::Venue(0) };
    EventBatch { events: vec![event], venue_events: vec![said], ..EventBatch::default() }
}

pub fn about(order_id: OrderId, body: ReportBody, trade_id: Option<&str>) -> VenueEvent {
    let report = Report { venue_time_ns: 7, order_id, body };
    VenueEvent::Report(VenueReport {
        report,
        venue_order_id: Some(format!("V{}", order_id.0).into()),
        trade_id: trade_id.map(Box::from),
        filled_lots: None,
    })
}

pub fn filled(price_ticks: i64, lots: i64) -> ReportBody {
    ReportBody::Fill { price_ticks, lots, liquidity: Liquidity::Taker, fee: Money(3), fee_currency: None }
}

/// A trade that is told anew: with these numbers and this fee, or busted.
pub fn revised(
    order_id: OrderId,
    trade_id: &str,
    revision: u64,
    now: Option<(i64, i64, i128)>,
) -> VenueEvent {
    let traded = now.map(|(price_ticks, lots, fee)| Traded {
        price_ticks,
        lots,
        liquidity: Liquidity::Taker,
        fee: Money(fee),
        fee_currency: None,
    });
    VenueEvent::Revision(TradeRevision {
        venue_time_ns: 9,
        order_id,
        trade_id: trade_id.into(),
        venue_order_id: Some(format!("V{}", order_id.0).into()),
        revision,
        traded,
        filled_lots: None,
    })
}

/// What was booked of trades that were told anew, in order.
pub fn revisions(rig: &Rig) -> Vec<BookedRevision> {
    let of = |frame: Result<&[u8], _>| match decode(frame.unwrap()).unwrap().body {
        RecordBody::Revision(booked) => Some(booked.named(booked.trade_id.into())),
        _ => None,
    };
    Frames::new(&rig.frames).filter_map(of).collect()
}

/// Feeds one message and consumes it; it names the instrument of its order.
pub fn tell(rig: &mut Rig, message: VenueEvent) {
    let time_ns = rig.kernel.now_ns() + 1;
    let instrument = match &message {
        VenueEvent::Report(said) => instrument_of(rig, said.report.order_id),
        VenueEvent::OutcomeLost { order_id } => instrument_of(rig, *order_id),
        VenueEvent::Revision(said) => instrument_of(rig, said.order_id),
        VenueEvent::Reconciling | VenueEvent::Reconciled | VenueEvent::Adopted(_) => GOLD,
    };
    rig.kernel.feed(1, said(time_ns, instrument, message)).unwrap();
    rig.run(|_, _| {}).unwrap();
}

pub fn tell_about(rig: &mut Rig, order_id: OrderId, body: ReportBody, trade_id: Option<&str>) {
    tell(rig, about(order_id, body, trade_id));
}

/// A kernel at 99 to 101 with a buy of ten at 95 that has been sent.
pub fn one_order() -> (Rig, OrderId) {
    let mut rig = Rig::new(outside());
    rig.play(&quotes(100, 99));
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    rig.run(|_, _| {}).unwrap();
    (rig, order_id)
}

pub fn state(rig: &Rig, order_id: OrderId) -> Option<OrderState> {
    rig.kernel.orders().get(order_id).map(|order| order.state)
}

pub fn surprises(rig: &Rig) -> Vec<SurpriseKind> {
    let of = |frame: Result<&[u8], _>| match decode(frame.unwrap()).unwrap().body {
        RecordBody::Surprise(surprise) => Some(surprise.kind),
        _ => None,
    };
    Frames::new(&rig.frames).filter_map(of).collect()
}

/// The instrument of an order that is open or has ended; of any other number the first one.
fn instrument_of(rig: &Rig, order_id: OrderId) -> InstrumentId {
    let orders = rig.kernel.orders();
    let open = orders.get(order_id).map(|order| order.intent.instrument);
    open.or_else(|| orders.find_closed(order_id).map(|order| order.instrument)).unwrap_or(GOLD)
}

/// What has left for the venue, in order.
pub fn sent(rig: &Rig) -> Vec<Sent> {
    let of = |frame: Result<&[u8], _>| match decode(frame.unwrap()).unwrap().body {
        RecordBody::Sent(sent) => Some(sent),
        _ => None,
    };
    Frames::new(&rig.frames).filter_map(of).collect()
}
