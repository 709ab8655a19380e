//! Why bytes are not a record, or a record cannot become bytes.

use std::fmt;

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodecError {
    /// The bytes end before the record does.
    Truncated,
    /// The length of a frame is outside its bounds, or not that of its record.
    Length(u64),
    /// No record has this kind.
    UnknownKind(u8),
    /// A field holds a value that it cannot have.
    Field {
        /// Name of the field whose value cannot be.
        field: &'static str,
        /// The value; the first byte of it for text.
        value: u64,
    },
    /// The record was written by a newer version of the format.
    NewerVersion(u32),
    /// What an event says stands in a table beside it, and has a record of its own.
    Apart,
    /// The record does not fit a frame; the field that is too large.
    TooLarge(&'static str),
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => write!(f, "the record is cut short"),
            Self::Length(length) => write!(f, "the record cannot be {length} bytes long"),
            Self::UnknownKind(kind) => write!(f, "no record has kind {kind}"),
            Self::Field { field, value } => write!(f, "{field} cannot be {value}"),
            Self::NewerVersion(version) => {
                write!(f, "format {version} is newer than {} of this program", crate::FORMAT_VERSION)
            }
            Self::Apart => write!(f, "what the event says stands in a table beside it"),
            Self::TooLarge(field) => {
                write!(f, "{field} is too large for one record of {} bytes", crate::FRAME_BYTES_MAX)
            }
        }
    }
}

impl std::error::Error for CodecError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_of_a_record_names_what_is_wrong_with_it() {
        for (error, said) in [
            (CodecError::Truncated, "the record is cut short"),
            (CodecError::Length(3), "the record cannot be 3 bytes long"),
            (CodecError::UnknownKind(200), "no record has kind 200"),
            (CodecError::Field { field: "side", value: 7 }, "side cannot be 7"),
            (CodecError::TooLarge("reason"), "reason is too large for one record of 1048576 bytes"),
        ] {
            assert_eq!(error.to_string(), said);
        }
        assert!(CodecError::NewerVersion(999).to_string().starts_with("format 999 is newer than "));
    }
}
