//! Typed ids: every entity has its own, so that one cannot be passed for another.

use std::{fmt, str::FromStr};

use bincode::{Decode, Encode};
use uuid::Uuid;

/// A text that is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a UUID; one looks like 0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a44")]
pub struct MalformedId(pub String);

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The id with these bytes, most significant first.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The bytes, most significant first: as they stand in keys.
            #[must_use]
            pub const fn bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// The id as a UUID.
            #[must_use]
            pub const fn uuid(&self) -> Uuid {
                Uuid::from_bytes(self.0)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid.into_bytes())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.uuid().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self::from).map_err(|_| MalformedId(super::text::shortened(text, 60)))
            }
        }
    )+};
}

typed_ids! {
    /// A conversation.
    ConversationId,
    /// A message of a conversation.
    MessageId,
    /// A turn: the messages and traces that answer one input.
    TurnId,
    /// A call of a tool, inside a message.
    ToolCallId,
    /// A plan.
    PlanId,
    /// A step of a plan; unique within its plan.
    StepId,
    /// A trace: one run of an agent for one input.
    TraceId,
    /// A span; unique only within its trace. An 8-byte OpenTelemetry id stands in the last 8 bytes.
    SpanId,
    /// A score.
    ScoreId,
    /// A dataset.
    DatasetId,
    /// An item of a dataset; the same in all versions of it.
    DatasetItemId,
    /// An experiment.
    ExperimentId,
    /// A run of evaluators over traces.
    EvaluationId,
}
