//! How a short text must be.

use crate::model::Refusal;

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
    /// The one that is given: what a text is, what it contains, what it starts with.
    ///
    /// # Errors
    /// Where none is given, or several are.
    pub fn of(given: (Option<String>, Option<String>, Option<String>), field: &str) -> Result<Self, Refusal> {
        match given {
            (Some(text), None, None) => Ok(Self::Is(text)),
            (None, Some(text), None) => Ok(Self::Contains(text)),
            (None, None, Some(text)) => Ok(Self::StartsWith(text)),
            _ => Err(Refusal::invalid(field, "give one of `is`, `contains` and `startsWith`")),
        }
    }

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
