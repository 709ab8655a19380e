//! Names that a venue gives.

use crate::ValueError;

/// Longest id of a venue, in bytes: venues use numbers, UUIDs and texts of up to 50 characters.
pub const VENUE_ID_BYTES_MAX: usize = 128;

/// Checks a name.
pub(crate) fn check_id(field: &'static str, id: &str) -> Result<(), ValueError> {
    if id.is_empty() || id.len() > VENUE_ID_BYTES_MAX {
        return Err(ValueError::new(
            field,
            id.len(),
            format!("must have 1 to {VENUE_ID_BYTES_MAX} bytes of UTF-8"),
        ));
    }
    if id.chars().any(char::is_control) {
        return Err(ValueError::new(field, id.escape_debug(), "must have no control character"));
    }
    Ok(())
}
