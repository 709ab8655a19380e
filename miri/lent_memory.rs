//! What `rust/pyext/src/lent.rs` lets numpy do, without Python, so that Miri can watch it.
//!
//! `make miri` runs it. numpy is a reader here that knows no more than numpy does: where a column is, how long
//! it is, and an object that keeps it.

#![cfg(test)]

use std::any::Any;
use std::sync::Arc;
use std::thread;

use tradecore_ledger::Lendable;

/// Columns as the engine holds them.
#[derive(Clone, Debug, Default)]
struct Columns {
    times: Vec<i64>,
    lots: Vec<i64>,
}

/// An array on a column.
struct Reader {
    place: *const i64,
    len: usize,
    _keeper: Arc<dyn Any + Send + Sync>,
}

// SAFETY: nothing can be done with the keeper, and nobody writes to what it keeps.
unsafe impl Send for Reader {}

impl Reader {
    /// Takes what `PyArray1::borrow_from_array` takes of a view: its pointer and its length.
    fn on(columns: &Arc<Columns>, column: impl FnOnce(&Columns) -> &[i64]) -> Self {
        let lent = column(columns);
        Self { place: lent.as_ptr(), len: lent.len(), _keeper: Arc::<Columns>::clone(columns) }
    }

    fn read(&self) -> Vec<i64> {
        // SAFETY: the same as in `lent.rs`: the keeper holds the memory, and it does not change while it is held.
        unsafe { std::slice::from_raw_parts(self.place, self.len) }.to_vec()
    }
}

/// An owner of so many rows.
fn owner(rows: i64) -> Lendable<Columns> {
    let mut columns = Lendable::new(Columns::default());
    (0..rows).for_each(|row| push(&mut columns, row));
    columns
}

/// Adds a row: its number, and ten times its number.
fn push(columns: &mut Lendable<Columns>, row: i64) {
    let columns = columns.get_mut();
    columns.times.push(row);
    columns.lots.push(10 * row);
}

#[test]
fn an_array_stays_as_it_was_while_the_engine_goes_on_and_after_it() {
    let mut columns = owner(3);
    let lent = columns.lend();
    let (times, lots) = (Reader::on(&lent, |it| &it.times), Reader::on(&lent, |it| &it.lots));
    drop(lent);
    // Enough rows for the columns to move several times.
    (3..40).for_each(|row| push(&mut columns, row));
    let later = Reader::on(&columns.lend(), |it| &it.lots);
    assert_eq!((times.read(), lots.read()), (vec![0, 1, 2], vec![0, 10, 20]));
    drop((times, columns));
    assert_eq!((lots.read(), later.read().len()), (vec![0, 10, 20], 40));
}

#[test]
fn memory_that_no_array_keeps_is_written_again_and_lent_again() {
    let mut columns = owner(3);
    drop(Reader::on(&columns.lend(), |it| &it.times));
    push(&mut columns, 3);
    let again = Reader::on(&columns.lend(), |it| &it.times);
    assert_eq!(again.read(), [0, 1, 2, 3]);
    push(&mut columns, 4);
    assert_eq!((again.read().len(), columns.get().times.len()), (4, 5));
}

#[test]
fn another_thread_reads_and_lets_go_while_the_engine_goes_on() {
    let mut columns = owner(3);
    for round in 3..20 {
        let array = Reader::on(&columns.lend(), |it| &it.lots);
        let reading = thread::spawn(move || array.read().len());
        push(&mut columns, round);
        assert_eq!(i64::try_from(reading.join().unwrap()), Ok(round));
    }
}

#[test]
fn an_array_on_columns_without_rows_is_empty() {
    let array = Reader::on(&owner(0).lend(), |it| &it.times);
    assert_eq!(array.read(), []);
}
