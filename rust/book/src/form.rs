//! How the levels of a book are kept in memory.

/// How a side of a book keeps its levels; what it says is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum BookForm {
    /// What suits the levels it has: compact while they are few or far apart, else dense.
    #[default]
    Automatic,
    /// An array over 4,096 prices around the touch, a sorted list beyond: 33 KiB a side and the list.
    Dense,
    /// One sorted list: 16 bytes for each level there is room for.
    Compact,
}
