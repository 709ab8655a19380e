//! Why an engine pauses by itself: something that it goes by is not to be trusted.

crate::coded! {
    /// What is not to be trusted, so that no new risk is taken until a person resumes.
    #[derive(serde::Serialize, serde::Deserialize)]
    pub enum SafetyCause {
        /// The feed has brought nothing for too long.
        FeedLost = 1, "feed_lost";
        /// The feed has stood still too often.
        StaleData = 2, "stale_data";
        /// The clock of the machine was set, or stood still.
        ClockJump = 3, "clock_jump";
        /// The state directory or the journal is no longer where it was.
        FileGone = 4, "file_gone";
        /// The disk of the journal is full: it goes on in the room that was kept for this.
        DiskFull = 5, "disk_full";
        /// The process can open no more files: it goes on with those that were kept for stops.
        NoDescriptors = 6, "no_descriptors";
        /// What looks after feed, clock or command files has ended by a fault.
        HelperFailed = 7, "helper_failed";
    }
}

/// A pause that an engine gives itself: what was seen, and the bound that it passed.
///
/// Both numbers are nanoseconds, of stale data how often, and 0 where nothing is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SafetyPause {
    /// What is not to be trusted.
    pub cause: SafetyCause,
    /// What was seen.
    pub value: i64,
    /// What is allowed.
    pub bound: i64,
}
