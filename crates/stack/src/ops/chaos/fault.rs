//! The faults that can be done to a running service.

/// What is done to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// End it at once, as a crash would; it is started again by itself
    Kill,
    /// Make it stand still
    Pause,
    /// Let a paused service go on
    Resume,
    /// Cut it off the network: it is neither reached nor reaches others
    #[cfg_attr(feature = "clap", value(alias = "cut"))]
    Partition,
    /// Put a service that was cut off back on the network
    Heal,
}

impl Fault {
    /// The word for what was done.
    #[must_use]
    pub fn done(self) -> &'static str {
        match self {
            Self::Kill => "killed",
            Self::Pause => "paused",
            Self::Resume => "resumed",
            Self::Partition => "cut off",
            Self::Heal => "healed",
        }
    }
}
