//! How a short text must be.

/// How a short text must be. Letters match in either case, but where the whole is compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TextMatch {
    /// Exactly this.
    Is(String),
    /// With this in it.
    Contains(String),
    /// This at its beginning.
    StartsWith(String),
}

impl TextMatch {
    /// Whether a text is as it must be.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Is(wanted) => text == wanted,
            Self::Contains(wanted) => text.to_lowercase().contains(&wanted.to_lowercase()),
            Self::StartsWith(wanted) => text.to_lowercase().starts_with(&wanted.to_lowercase()),
        }
    }
}
