//! Traces that a power cut leaves: sectors that never reached the disk read as zeros.

use crate::layout::is_zero;

/// Smallest unit that a disk writes whole.
const SECTOR: usize = 512;

/// Tells whether some disk sector holds nothing but zeros where this block should be.
///
/// The block begins at `offset` in the file. A block begins with its header and ends with its head, both
/// on a grid of 32 bytes, so one changed byte never makes a whole share of a sector zero.
pub(crate) fn has_lost_sector(offset: u64, block: &[u8]) -> bool {
    let first = rest_of_sector(offset).min(block.len());
    let (head, rest) = block.split_at_checked(first).unwrap_or_default();
    is_zero(head) || rest.chunks(SECTOR).any(is_zero)
}

/// Returns how many bytes there are from here to the end of the disk sector.
pub(crate) fn rest_of_sector(offset: u64) -> usize {
    SECTOR.saturating_sub(usize::try_from(offset % 512).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_share_of_a_sector_counts_as_lost() {
        let mut block = vec![1; 1_600];
        assert!(!has_lost_sector(480, &block));
        block[0..32].fill(0);
        assert!(has_lost_sector(480, &block));
        assert!(!has_lost_sector(448, &block));
        block[0..32].fill(1);
        block[544..1_055].fill(0);
        assert!(!has_lost_sector(480, &block));
        block[1_055] = 0;
        assert!(has_lost_sector(480, &block));
        assert!(!has_lost_sector(512, &block));
    }
}
