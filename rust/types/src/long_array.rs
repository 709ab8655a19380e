//! How a snapshot has an array that is longer than serde writes by itself: as a list of just so many values.

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

/// Writes every value, in order.
///
/// # Errors
///
/// What the writer says.
pub fn serialize<S: Serializer, T: Serialize, const N: usize>(
    values: &[T; N],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values)
}

/// Reads exactly as many values as the array has.
///
/// # Errors
///
/// When there are more or fewer, or what the reader says.
pub fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>, const N: usize>(
    deserializer: D,
) -> Result<[T; N], D::Error> {
    let values = Vec::<T>::deserialize(deserializer)?;
    let count = values.len();
    values.try_into().map_err(|_| D::Error::custom(format_args!("{count} values where there must be {N}")))
}

#[cfg(test)]
mod tests {
    use serde::de::value::{Error, SeqDeserializer};

    #[test]
    fn as_many_values_as_the_array_has_are_read_and_no_others() {
        for count in 0..6u32 {
            let values = SeqDeserializer::<_, Error>::new(0..count);
            let read: Result<[u32; 3], Error> = super::deserialize(values);
            assert_eq!(read.ok(), (count == 3).then_some([0, 1, 2]), "{count} values");
        }
    }
}
