//! Columns in pieces that fit the first cache: whole pieces where every value is usable, else row by row.

use crate::usable::all_usable;

/// Rows of a piece: eight such columns take a third of a first cache of 48 KiB.
pub(crate) const PIECE: usize = 256;

/// Room for what is between the columns and the outputs of a piece.
pub(crate) type Scratch = [[f64; PIECE]; 3];

/// An indicator of `I` columns in and `O` columns out that takes a piece in the same steps as row by row.
pub(crate) trait Piecewise<const I: usize, const O: usize> {
    /// Counts the rows to take one by one before whole pieces cost least; `None` until it is warm.
    fn rows_to_block(&self) -> Option<usize>;
    /// Takes one row.
    fn one(&mut self, row: [f64; I]) -> [f64; O];
    /// Takes up to [`PIECE`] rows, all of them usable, once it is warm.
    fn piece(&mut self, columns: [&[f64]; I], outs: [&mut [f64]; O], scratch: &mut Scratch);
}

/// Takes columns of one length and writes a value for each row.
pub(crate) fn run<const I: usize, const O: usize>(
    indicator: &mut impl Piecewise<I, O>,
    mut columns: [&[f64]; I],
    mut outs: [&mut [f64]; O],
) {
    let mut scratch = [[0.0; PIECE]; 3];
    while columns.first().is_some_and(|column| !column.is_empty()) {
        let to_block = indicator.rows_to_block();
        let wanted = to_block.filter(|rows| *rows > 0).unwrap_or(PIECE);
        let rows = columns.first().map_or(0, |column| column.len().min(wanted));
        let piece = columns.each_mut().map(|column| {
            let (head, rest) = column.split_at(rows);
            *column = rest;
            head
        });
        let piece_outs = outs.each_mut().map(|out| {
            let (head, rest) = std::mem::take(out).split_at_mut(rows);
            *out = rest;
            head
        });
        if to_block == Some(0) && piece.iter().all(|column| all_usable(column)) {
            indicator.piece(piece, piece_outs, &mut scratch);
        } else {
            run_row_by_row(indicator, piece, piece_outs);
        }
    }
}

fn run_row_by_row<const I: usize, const O: usize>(
    indicator: &mut impl Piecewise<I, O>,
    columns: [&[f64]; I],
    mut outs: [&mut [f64]; O],
) {
    for row in 0..columns.first().map_or(0, |column| column.len()) {
        let values = indicator.one(columns.map(|column| column.get(row).copied().unwrap_or(f64::NAN)));
        for (out, value) in outs.iter_mut().zip(values) {
            if let Some(out) = out.get_mut(row) {
                *out = value;
            }
        }
    }
}

/// Writes what stood before each value of a column: `first`, then the column without its last.
///
/// A loop over two slices compiles to vector instructions; one over `once(first).chain(column)` does not.
#[inline]
pub(crate) fn shifted<'a>(first: f64, column: &[f64], room: &'a mut [f64]) -> &'a [f64] {
    let room = room.get_mut(..column.len()).unwrap_or_default();
    if let ([head, tail @ ..], [values @ .., _]) = (&mut *room, column) {
        *head = first;
        tail.copy_from_slice(values);
    }
    room
}

/// Returns the larger of two numbers.
///
/// As `f64::max`, but without its care for `NaN`: one instruction.
#[inline]
pub(crate) fn larger(one: f64, other: f64) -> f64 {
    if one > other { one } else { other }
}
