//! Queries of traces and spans by conditions composed of and, or and not.

mod leaves;
mod queries;
mod spans;
mod traces;

pub(super) use self::queries::ConditionQuery;

use crate::model::{
    Refusal,
    query::{MAX_CONDITIONS, MAX_DEPTH},
};

/// What is left of how large a condition may be, and where in it the reading is.
struct Reading<'a> {
    left: &'a mut usize,
    depth: usize,
    path: String,
}

impl<'a> Reading<'a> {
    fn begin(left: &'a mut usize, field: &str) -> Self {
        Self { left, depth: 0, path: field.to_owned() }
    }

    /// The field of this condition.
    fn field(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// Goes on with a condition inside this one.
    fn below(&mut self, name: &str) -> Result<Reading<'_>, Refusal> {
        let path = self.field(name);
        if self.depth + 1 >= MAX_DEPTH {
            let message = format!("conditions stand more than {MAX_DEPTH} levels deep; say it in fewer");
            return Err(Refusal::limit(path, message));
        }
        Ok(Reading { left: &mut *self.left, depth: self.depth + 1, path })
    }

    /// Counts one more part.
    fn count(&mut self) -> Result<(), Refusal> {
        match self.left.checked_sub(1) {
            Some(left) => *self.left = left,
            None => {
                let message = format!("there are more than {MAX_CONDITIONS} conditions; ask with fewer");
                return Err(Refusal::limit(self.path.clone(), message));
            }
        }
        Ok(())
    }
}
