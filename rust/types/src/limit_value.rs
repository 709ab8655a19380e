//! The value of a limit in the fewest bytes, so that a command is no larger than market data.

use crate::Decimal;

/// Number of decimals that says that there is no value.
const ABSENT: u8 = u8::MAX;

/// A decimal number or nothing, kept in nine bytes without alignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LimitValue {
    mantissa: [u8; 8],
    decimals: u8,
}

impl LimitValue {
    /// Keeps a number; `None` is a limit that is switched off.
    #[must_use]
    pub const fn of(value: Option<Decimal>) -> Self {
        match value {
            Some(Decimal { mantissa, decimals }) => Self { mantissa: mantissa.to_le_bytes(), decimals },
            None => Self { mantissa: [0; 8], decimals: ABSENT },
        }
    }

    /// Returns the number that is kept.
    #[must_use]
    pub const fn get(self) -> Option<Decimal> {
        match self.decimals {
            ABSENT => None,
            decimals => Some(Decimal { mantissa: i64::from_le_bytes(self.mantissa), decimals }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;

    #[test]
    fn a_value_reads_back_and_an_event_is_no_larger_for_it() {
        for mantissa in [i64::MIN, -1, 0, 7, i64::MAX] {
            for decimals in 0..=18 {
                let value = Some(Decimal { mantissa, decimals });
                assert_eq!(LimitValue::of(value).get(), value);
            }
        }
        assert_eq!(LimitValue::of(None).get(), None);
        // A bar is six numbers of 64 bits; its time, its instrument and the kind of event are three more.
        assert_eq!(size_of::<Event>(), 9 * 8);
    }
}
