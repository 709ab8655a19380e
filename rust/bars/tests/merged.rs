//! Longer bars out of shorter ones: against the same bars built from the trades, and what is left out or refused.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use proptest::prelude::*;
use tradecore_bars::{BarSpan, FinishedBar, FirstBar, MergedBars, Print, TimeBars};
use tradecore_types::{Bar, Session, Sessions};

const MINUTE_NS: i64 = 60_000_000_000;
const HOUR_NS: i64 = 60 * MINUTE_NS;
const DAY_NS: i64 = 24 * HOUR_NS;
/// 2026-01-01 00:00 UTC, a Thursday.
const NEW_YEAR_NS: i64 = 1_767_225_600_000_000_000;

fn span(length_ns: i64) -> BarSpan {
    BarSpan::of_ns(length_ns).unwrap()
}

fn spans() -> impl Strategy<Value = BarSpan> {
    prop_oneof![
        Just(span(30 * MINUTE_NS)),
        Just(span(HOUR_NS)),
        Just(span(4 * HOUR_NS)),
        Just(span(DAY_NS)),
        Just(span(3 * DAY_NS)),
        Just(span(7 * DAY_NS)),
        Just(span(14 * DAY_NS)),
        Just(BarSpan::of_months(1).unwrap()),
        Just(BarSpan::of_months(3).unwrap()),
    ]
}

/// Trading days of an exchange: some are holidays, and some end early.
fn exchange() -> impl Strategy<Value = Sessions> {
    let day = (prop::bool::weighted(0.8), prop_oneof![Just(13i64), Just(7i64)]);
    (prop_oneof![Just(-2i64), Just(29i64)], prop::collection::vec(day, 150..160)).prop_map(|(open, days)| {
        let mut sessions = Vec::new();
        for (day, (is_open, half_hours)) in (-20i64..).zip(days) {
            let start_ns = NEW_YEAR_NS + day * DAY_NS + open * 30 * MINUTE_NS;
            if is_open || sessions.is_empty() {
                sessions.push(Session { start_ns, end_ns: start_ns + half_hours * 30 * MINUTE_NS });
            }
        }
        Sessions::table(sessions).unwrap()
    })
}

fn calendars() -> impl Strategy<Value = Sessions> {
    let always = (0..48i64).prop_map(|half_hours| Sessions::always(half_hours * 30 * MINUTE_NS).unwrap());
    prop_oneof![always, exchange()]
}

fn prints() -> impl Strategy<Value = Vec<Print>> {
    let gap = prop_oneof![6 => 0..40 * MINUTE_NS, 2 => 0..9 * HOUR_NS, 1 => 0..6 * DAY_NS];
    prop::collection::vec((gap, 90..111i64, 0..20i64), 0..150).prop_map(|parts| {
        let mut time_ns = NEW_YEAR_NS;
        let mut out = Vec::new();
        for (gap, price_ticks, lots) in parts {
            time_ns += gap;
            out.push(Print { time_ns, price_ticks, lots, aggressor: None });
        }
        out
    })
}

/// Builds time bars of prints, the last one included.
fn built(span: BarSpan, sessions: &Sessions, prints: &[Print]) -> Vec<FinishedBar> {
    let mut builder = TimeBars::within(span, sessions.clone(), FirstBar::Any);
    let mut bars: Vec<_> = prints.iter().filter_map(|print| builder.update(print)).collect();
    bars.extend(builder.close_due(i64::MAX));
    bars
}

fn bar(open_ns: i64, price: i64) -> Bar {
    Bar {
        open_time_ns: open_ns,
        open_ticks: price,
        high_ticks: price + 1,
        low_ticks: price - 1,
        close_ticks: price,
        volume_lots: 1,
    }
}

proptest! {
    /// One length is one thing: bars of half an hour merged are the longer bars that the trades give.
    #[test]
    fn merged_bars_are_those_built_from_the_trades(
        length in spans(), sessions in calendars(), prints in prints(),
    ) {
        let mut merged = MergedBars::new(length, sessions.clone(), FirstBar::Any);
        let mut bars = Vec::new();
        for short in built(span(30 * MINUTE_NS), &sessions, &prints) {
            let outcome = merged.update(&short.bar, short.close_time_ns).unwrap();
            // Nothing is shown before it has closed, and what has closed is shown at once.
            if let Some(finished) = outcome.finished {
                prop_assert_eq!(finished.close_time_ns, short.close_time_ns);
            }
            if let Some(before) = outcome.before {
                prop_assert!(before.close_time_ns <= short.bar.open_time_ns);
            }
            bars.extend(outcome.before);
            bars.extend(outcome.finished);
        }
        bars.extend(merged.close_due(i64::MAX));

        prop_assert_eq!(&bars, &built(length, &sessions, &prints));
        prop_assert_eq!(merged.left_out(), 0);
        prop_assert!(bars.windows(2).all(|two| two[0].close_time_ns <= two[1].bar.open_time_ns));
    }

    /// Periods of one length tile the trading time: each moment is in one, and its neighbours join it.
    #[test]
    fn a_period_is_that_of_each_of_its_moments(
        length in spans(), sessions in calendars(), at in 0..120 * 48i64,
    ) {
        let at_ns = NEW_YEAR_NS + at * 30 * MINUTE_NS;
        let Some(period) = length.period(at_ns, &sessions) else {
            let open = sessions.open_part(at_ns, at_ns + 1);
            prop_assert_eq!(open, None);
            return Ok(());
        };
        prop_assert!((period.start_ns..period.end_ns).contains(&at_ns));
        if let Some((first_ns, last_ns)) = sessions.open_part(period.start_ns, period.end_ns) {
            prop_assert_eq!(length.period(first_ns, &sessions), Some(period));
            prop_assert_eq!(length.period(last_ns - 1, &sessions), Some(period));
        }
    }

    /// Whatever bars come, nothing wraps or stops; the bar that does not fit changes nothing.
    #[test]
    fn any_bars_are_taken_or_refused(
        length in spans(),
        day_end_ns in 0..DAY_NS,
        times in prop::collection::vec((any::<i64>(), any::<i64>()), 0..40),
    ) {
        let mut merged = MergedBars::new(length, Sessions::always(day_end_ns).unwrap(), FirstBar::BySource);
        for (one, other) in times {
            let (mut before, mut after) = (Vec::new(), Vec::new());
            merged.write_state(&mut before);
            if merged.update(&bar(one.min(other), 100), one.max(other)).is_err() {
                merged.write_state(&mut after);
                prop_assert_eq!(&before, &after);
            }
        }
    }
}

#[test]
fn a_first_bar_whose_beginning_is_missing_is_left_out_unless_it_is_asked_for() {
    let seen = |first, from: i64| {
        let mut merged = MergedBars::new(span(HOUR_NS), Sessions::default(), first);
        let quarters = (from..12).map(|at| NEW_YEAR_NS + at * 15 * MINUTE_NS);
        let finished = quarters.filter_map(|open_ns| {
            merged.update(&bar(open_ns, 100), open_ns + 15 * MINUTE_NS).unwrap().finished
        });
        finished.map(|finished| (finished.bar.open_time_ns - NEW_YEAR_NS) / HOUR_NS).collect::<Vec<_>>()
    };

    assert_eq!(seen(FirstBar::BySource, 0), [0, 1, 2]);
    assert_eq!(seen(FirstBar::BySource, 1), [1, 2]);
    assert_eq!(seen(FirstBar::Whole, 3), [1, 2]);
    assert_eq!(seen(FirstBar::Any, 3), [0, 1, 2]);
}

#[test]
fn the_first_bar_of_trades_is_left_out_only_where_it_is_asked_for() {
    let seen = |first, begins_ns: i64| {
        let mut builder = TimeBars::within(span(HOUR_NS), Sessions::default(), first);
        let print = |time_ns| Print { time_ns, price_ticks: 5, lots: 1, aggressor: None };
        let times = [begins_ns, HOUR_NS + 1, 2 * HOUR_NS + 1];
        times.iter().filter_map(|time_ns| builder.update(&print(*time_ns))).count()
    };

    assert_eq!((seen(FirstBar::BySource, 1), seen(FirstBar::Any, 1)), (2, 2));
    assert_eq!((seen(FirstBar::Whole, 1), seen(FirstBar::Whole, 0)), (1, 2));
}

#[test]
fn a_bar_that_would_be_in_two_is_refused_in_words() {
    let mut merged = MergedBars::new(span(7 * MINUTE_NS), Sessions::default(), FirstBar::Any);
    // 7 minutes do not divide the years since 1970.
    let start_ns = span(7 * MINUTE_NS).period(NEW_YEAR_NS, &Sessions::default()).unwrap().start_ns;
    assert!(merged.update(&bar(start_ns, 100), start_ns + 5 * MINUTE_NS).is_ok());
    let misfit = merged.update(&bar(start_ns + 5 * MINUTE_NS, 100), start_ns + 10 * MINUTE_NS).unwrap_err();

    assert_eq!(misfit.end_ns, start_ns + 7 * MINUTE_NS);
    assert!(misfit.to_string().contains("would be in two bars of 7m"), "{misfit}");
    let mut hours = MergedBars::new(span(HOUR_NS), Sessions::default(), FirstBar::Any);
    assert!(hours.update(&bar(NEW_YEAR_NS, 100), NEW_YEAR_NS + 2 * HOUR_NS).is_err());
}

#[test]
fn what_comes_after_its_bar_has_ended_or_between_sessions_is_left_out_and_counted() {
    let mut merged = MergedBars::new(span(HOUR_NS), Sessions::default(), FirstBar::Any);
    let quarter =
        |at: i64| (bar(NEW_YEAR_NS + at * 15 * MINUTE_NS, at), NEW_YEAR_NS + (at + 1) * 15 * MINUTE_NS);
    for at in [0, 1] {
        merged.update(&quarter(at).0, quarter(at).1).unwrap();
    }
    assert_eq!(merged.close_due(NEW_YEAR_NS + HOUR_NS - 1), None);
    assert_eq!(merged.close_due(NEW_YEAR_NS + HOUR_NS).unwrap().bar.volume_lots, 2);
    assert_eq!(merged.update(&quarter(3).0, quarter(3).1), Ok(tradecore_bars::Merged::default()));
    assert_eq!((merged.left_out(), merged.due_ns()), (1, None));

    let session = Session { start_ns: NEW_YEAR_NS, end_ns: NEW_YEAR_NS + HOUR_NS };
    let mut within = MergedBars::new(span(HOUR_NS), Sessions::table(vec![session]).unwrap(), FirstBar::Any);
    let late = bar(session.end_ns, 100);
    assert_eq!(within.update(&late, session.end_ns + MINUTE_NS), Ok(tradecore_bars::Merged::default()));
    assert_eq!(within.left_out(), 1);
}

#[test]
fn a_bar_of_a_calendar_day_is_the_session_in_it() {
    let sessions = [0i64, 1, 4].map(|day| {
        let start_ns = NEW_YEAR_NS + day * DAY_NS + 14 * HOUR_NS;
        Session { start_ns, end_ns: start_ns + 6 * HOUR_NS }
    });
    let table = Sessions::table(sessions.to_vec()).unwrap();
    let mut week = MergedBars::new(span(7 * DAY_NS), table, FirstBar::Any);
    let day = |at: i64| (bar(NEW_YEAR_NS + at * DAY_NS, 100 + at), NEW_YEAR_NS + (at + 1) * DAY_NS);

    assert_eq!(week.update(&day(0).0, day(0).1), Ok(tradecore_bars::Merged::default()));
    // The bar of Friday closes after the session in it: the week waits for it.
    assert!(week.due_ns() > Some(day(1).1));
    // Friday is the last session of its week, which is over when it is.
    let finished = week.update(&day(1).0, day(1).1).unwrap().finished.unwrap();
    assert_eq!((finished.close_time_ns, finished.bar.volume_lots), (sessions[1].end_ns, 2));
    assert_eq!(week.update(&day(2).0, day(2).1), Ok(tradecore_bars::Merged::default()));
    assert_eq!(week.left_out(), 1);
}

#[test]
fn lengths_are_written_as_in_settings() {
    let texts = [1, 1_000_000, 90_000_000_000, 5 * MINUTE_NS, HOUR_NS, DAY_NS, 14 * DAY_NS].map(span);
    assert_eq!(texts.map(|span| span.to_string()), ["1ns", "1ms", "90s", "5m", "1h", "1d", "2w"]);
    assert_eq!(BarSpan::of_months(3).unwrap().to_string(), "3mo");
    assert!(BarSpan::of_months(0).is_err() && BarSpan::of_months(24).is_err() && BarSpan::of_ns(0).is_err());
}
