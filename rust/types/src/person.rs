//! The name of a person who answers for a command.

use crate::ValueError;

/// Bytes a name may have.
const BYTES_MAX: usize = 32;

/// A name of 1 to 32 bytes of printable text; kept in place, so that an event stays a plain value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct PersonName {
    /// The text, then zeros.
    bytes: [u8; BYTES_MAX],
}

impl PersonName {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is empty or blank, has over 32 bytes or a control character.
    pub fn new(name: &str) -> Result<Self, ValueError> {
        let is_printable = !name.trim().is_empty() && !name.chars().any(char::is_control);
        let mut bytes = [0; BYTES_MAX];
        match bytes.get_mut(..name.len()) {
            Some(start) if is_printable => start.copy_from_slice(name.as_bytes()),
            _ => return Err(ValueError::new("person", name, "must be a name of 1 to 32 bytes")),
        }
        Ok(Self { bytes })
    }

    /// Returns the name as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let length = self.bytes.iter().position(|byte| *byte == 0).unwrap_or(BYTES_MAX);
        let text = self.bytes.get(..length).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_what_is_no_name_is_refused() {
        for name in ["A", "Zoë Åström", &"x".repeat(32)] {
            assert_eq!(PersonName::new(name).unwrap().as_str(), name);
        }
        for bad in ["", "  ", "a\nb", "a\0", &"x".repeat(33)] {
            assert_eq!(PersonName::new(bad).unwrap_err().field, "person");
        }
    }
}
